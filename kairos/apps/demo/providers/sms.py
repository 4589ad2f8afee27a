"""Twilio and Aliyun, as far as a sender sees them."""

from __future__ import annotations

import base64
from urllib.parse import parse_qsl, urlencode, urlsplit

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from kairos.adapters.channels import aliyun_sms, twilio
from kairos.apps.demo.providers.calls import sending
from kairos.apps.demo.providers.desk import Desk, Fault, Taken
from kairos.apps.demo.providers.world import ACCESS_KEY, ACCOUNT, World


async def _twilio(request: Request, world: World, desk: Desk, fault: Fault) -> Response:
    expected = base64.b64encode(f"{ACCOUNT}:{world.secrets['twilio_token']}".encode()).decode()
    if fault.kind == "expired" or request.headers.get("authorization") != f"Basic {expected}":
        return _twilio_error(401, "20003", "Authenticate")
    form = dict(parse_qsl((await request.body()).decode()))
    code = desk.refusal(fault, form.get("To")) or ("" if form.get("To", "").startswith("+") else "21211")
    if code:
        return _twilio_error(400, code, "refused")
    key = dict(parse_qsl(urlsplit(form.get("StatusCallback", "")).query)).get("key")
    taken = desk.take(key, form["To"], dict(form))
    request.app.state.reporter.taken(taken)
    body = {"sid": "SM" + taken.provider_id, "status": "queued", "error_code": None, "to": form["To"]}
    return JSONResponse(body, 201)


def _twilio_error(status: int, code: str, words: str) -> Response:
    more = f"https://www.twilio.com/docs/errors/{code}"
    return JSONResponse({"code": int(code), "message": words, "more_info": more, "status": status}, status)


async def _aliyun(request: Request, world: World, desk: Desk, fault: Fault) -> Response:
    headers = {name: value for name, value in request.headers.items() if name == "host" or name.startswith("x-acs-")}
    query = dict(request.query_params)
    signed = aliyun_sms.sign(ACCESS_KEY, world.secrets["access_secret"], headers, query)
    if fault.kind == "expired" or signed["authorization"] != request.headers.get("authorization"):
        return JSONResponse({"Code": "SignatureDoesNotMatch", "Message": "refused", "RequestId": "R"}, 403)
    code = desk.refusal(fault, query.get("PhoneNumbers"))
    if code:
        return JSONResponse({"Code": code, "Message": "refused", "RequestId": "R"})
    taken = desk.take(query.get("OutId"), query["PhoneNumbers"], dict(query))
    request.app.state.reporter.taken(taken)
    return JSONResponse({"Code": "OK", "Message": "OK", "BizId": taken.provider_id, "RequestId": "R"})


ROUTES = [
    sending("twilio", f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json", _twilio),
    sending("aliyun_sms", "/", _aliyun),
]


def twilio_report(world: World, taken: Taken, status: str, code: str | None) -> tuple[str, dict[str, str], bytes]:
    """URL, headers, body of a status callback."""
    url = taken.message.get("StatusCallback", "")
    fields = {"MessageSid": "SM" + taken.provider_id, "MessageStatus": status, "AccountSid": ACCOUNT}
    fields["To"] = taken.address or ""
    if code is not None:
        fields["ErrorCode"] = code
    signed = twilio.signature(world.secrets["twilio_token"], url, list(fields.items()))
    kind = "application/x-www-form-urlencoded"
    return url, {"content-type": kind, "x-twilio-signature": signed}, urlencode(fields).encode()
