"""FCM, WeChat, and the receivers of webhooks and of apprise's JSON, as far as a sender sees them."""

from __future__ import annotations

import base64
from urllib.parse import parse_qsl

import jwt
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from kairos.adapters.channels import webhook
from kairos.apps.demo.providers.calls import sending
from kairos.apps.demo.providers.desk import Desk, Fault, as_json
from kairos.apps.demo.providers.world import APPID, CLIENT_EMAIL, PROJECT, World

_FCM_STATUS = {
    "UNREGISTERED": (404, "NOT_FOUND"),
    "INVALID_ARGUMENT": (400, "INVALID_ARGUMENT"),
    "SENDER_ID_MISMATCH": (403, "PERMISSION_DENIED"),
    "QUOTA_EXCEEDED": (429, "RESOURCE_EXHAUSTED"),
    "UNAVAILABLE": (503, "UNAVAILABLE"),
    "INTERNAL": (500, "INTERNAL"),
    "THIRD_PARTY_AUTH_ERROR": (401, "UNAUTHENTICATED"),
}


async def _google_token(request: Request) -> Response:
    world: World = request.app.state.world
    form = dict(parse_qsl((await request.body()).decode()))
    try:
        claims = jwt.decode(
            form.get("assertion", ""),
            world.key.public_key(),
            algorithms=["RS256"],
            audience=str(request.url),
            issuer=CLIENT_EMAIL,
            options={"verify_iat": False, "verify_exp": False},
        )
    except jwt.InvalidTokenError as error:
        return JSONResponse({"error": "invalid_grant", "error_description": str(error)}, 400)
    if abs(claims["iat"] * 1000 - world.now()) > 3_600_000:
        return JSONResponse({"error": "invalid_grant", "error_description": "the clock is wrong"}, 400)
    return JSONResponse({"access_token": world.new_token("fcm"), "expires_in": 3599, "token_type": "Bearer"})


async def _fcm(request: Request, world: World, desk: Desk, fault: Fault) -> Response:
    if fault.kind == "expired":
        world.tokens.pop("fcm", None)
    token = world.tokens.get("fcm")
    if token is None or request.headers.get("authorization") != f"Bearer {token}":
        return _fcm_error(401, "UNAUTHENTICATED", None)
    message = as_json(await request.body()).get("message", {})
    code = desk.refusal(fault, message.get("token"))
    if code:
        return _fcm_error(*_FCM_STATUS[code], code)
    taken = desk.take(message.get("data", {}).get("key"), message.get("token"), message)
    return JSONResponse({"name": f"projects/{PROJECT}/messages/{taken.provider_id}"})


def _fcm_error(http: int, status: str, code: str | None) -> Response:
    kind = "type.googleapis.com/google.firebase.fcm.v1.FcmError"
    error = {"code": http, "message": "refused", "status": status}
    if code:
        error["details"] = [{"@type": kind, "errorCode": code}]
    return JSONResponse({"error": error}, http)


async def _wechat_token(request: Request) -> Response:
    world: World = request.app.state.world
    ask = as_json(await request.body())
    if ask.get("appid") != APPID or ask.get("secret") != world.secrets["appsecret"]:
        return JSONResponse({"errcode": 40125, "errmsg": "invalid appsecret"})
    token = world.tokens.get("wechat")
    if token is None or ask.get("force_refresh"):
        token = world.new_token("wechat")
    return JSONResponse({"access_token": token, "expires_in": 7200})


async def _wechat(request: Request, world: World, desk: Desk, fault: Fault) -> Response:
    if fault.kind == "expired":
        world.tokens.pop("wechat", None)
    token = world.tokens.get("wechat")
    if token is None or request.query_params.get("access_token") != token:
        return JSONResponse({"errcode": 42001, "errmsg": "access_token expired"})
    message = as_json(await request.body())
    code = desk.refusal(fault, message.get("touser"))
    if code:
        return JSONResponse({"errcode": int(code), "errmsg": "refused"})
    taken = desk.take(message.get("client_msg_id"), message.get("touser"), message)
    request.app.state.reporter.taken(taken)
    return JSONResponse({"errcode": 0, "errmsg": "ok", "msgid": wechat_id(taken.provider_id)})


def wechat_id(provider_id: str) -> int:
    """WeChat's are numbers."""
    return int(provider_id[:12], 16)


async def _webhook(request: Request, world: World, desk: Desk, fault: Fault) -> Response:
    body, name = await request.body(), request.headers.get("webhook-id", "")
    key = base64.b64decode(world.secrets["webhook"].removeprefix("whsec_"))
    stamp = request.headers.get("webhook-timestamp", "0")
    signed = webhook.signature(key, name, int(stamp), body)
    if fault.kind == "expired" or signed != request.headers.get("webhook-signature"):
        return Response("the signature does not fit", 401)
    message = as_json(body).get("data", {})
    code = desk.refusal(fault, message.get("address"))
    if code:
        return Response("refused", int(code))
    request.app.state.reporter.taken(desk.take(name, message.get("address"), message))
    return Response(status_code=204)


async def _apprise(request: Request, world: World, desk: Desk, fault: Fault) -> Response:
    code = "401" if fault.kind == "expired" else desk.refusal(fault, request.path_params["address"])
    if code:
        return Response("refused", int(code))
    desk.take(None, request.path_params["address"], as_json(await request.body()))
    return Response("{}")


ROUTES = [
    Route("/token", _google_token, methods=["POST"]),
    sending("fcm", f"/v1/projects/{PROJECT}/messages:send", _fcm),
    Route("/cgi-bin/stable_token", _wechat_token, methods=["POST"]),
    sending("wechat", "/cgi-bin/message/template/send", _wechat),
    sending("webhook", "/webhook", _webhook),
    sending("apprise", "/apprise/{address:path}", _apprise),
]
