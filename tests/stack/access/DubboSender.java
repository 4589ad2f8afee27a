import com.google.protobuf.TextFormat;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import kairos.v1.Events;
import kairos.v1.SendRequest;
import org.apache.dubbo.common.constants.CommonConstants;
import org.apache.dubbo.config.ApplicationConfig;
import org.apache.dubbo.config.ReferenceConfig;
import org.apache.dubbo.config.bootstrap.DubboBootstrap;
import org.apache.dubbo.rpc.RpcContext;
import org.apache.dubbo.rpc.RpcException;
import org.apache.dubbo.rpc.StatusRpcException;
import org.apache.dubbo.rpc.TriRpcStatus;

/**
 * A Dubbo consumer of kairos.v1.Events at the Triple URL that it is given. A line in is an API key, a tab and a
 * SendRequest in protobuf's text format; a line out is a status, a tab and the SendResponse, or what the status says.
 */
public final class DubboSender {
    public static void main(String[] arguments) throws Exception {
        Events events = connect(arguments[0]);
        BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.US_ASCII));
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            String[] parts = line.split("\t", 2);
            System.out.println(answer(events, parts[0], TextFormat.parse(parts[1], SendRequest.class)));
        }
        System.exit(0);
    }

    private static Events connect(String url) {
        ApplicationConfig application = new ApplicationConfig("kairos-test");
        application.setQosEnable(false);
        ReferenceConfig<Events> reference = new ReferenceConfig<>();
        reference.setInterface(Events.class);
        reference.setUrl(url);
        reference.setProxy(CommonConstants.NATIVE_STUB);
        reference.setTimeout(60_000);
        reference.setRetries(0);
        DubboBootstrap.getInstance().application(application).reference(reference).start();
        return reference.get();
    }

    private static String answer(Events events, String key, SendRequest request) {
        RpcContext.getClientAttachment().setAttachment("x-api-key", key);
        try {
            return "OK\t" + TextFormat.printer().shortDebugString(events.send(request));
        } catch (RpcException failed) {
            return refusal(failed);
        }
    }

    /** Dubbo wraps the status in exceptions of its own. */
    private static String refusal(RpcException failed) {
        for (Throwable cause = failed; cause != null; cause = cause.getCause()) {
            if (cause instanceof StatusRpcException) {
                TriRpcStatus status = ((StatusRpcException) cause).getStatus();
                return status.code + "\t" + status.description;
            }
        }
        return "NO_STATUS\t" + failed;
    }
}
