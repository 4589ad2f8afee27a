import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.opensearch.analysis.common.CommonAnalysisPlugin;
import org.opensearch.common.settings.Settings;
import org.opensearch.index.reindex.ReindexPlugin;
import org.opensearch.node.InternalSettingsPreparer;
import org.opensearch.transport.Netty4Plugin;

/** One node of OpenSearch on loopback: java -cp 'jars/*' Node.java FOLDER HTTP_PORT TRANSPORT_PORT. Says READY. */
public class Node extends org.opensearch.node.Node {
  Node(Settings settings) {
    super(
        InternalSettingsPreparer.prepareEnvironment(settings, Map.of(), null, () -> "kairos"),
        List.of(Netty4Plugin.class, CommonAnalysisPlugin.class, ReindexPlugin.class),
        false);
  }

  public static void main(String[] arguments) throws Exception {
    Path folder = Path.of(arguments[0]);
    Files.createDirectories(folder);
    Settings settings =
        Settings.builder()
            .put("path.home", folder.toString())
            .put("cluster.name", "kairos")
            .put("node.name", "kairos")
            .put("discovery.type", "single-node")
            .put("network.host", "127.0.0.1")
            .put("http.port", arguments[1])
            .put("transport.port", arguments[2])
            .put("transport.type", "netty4")
            .put("http.type", "netty4")
            .put("cluster.routing.allocation.disk.threshold_enabled", false)
            .build();
    Node node = new Node(settings);
    node.start();
    System.out.println("READY");
    Thread.currentThread().join();
  }
}
