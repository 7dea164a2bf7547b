package io.shardpress.spark.storage;

import com.robothy.s3.rest.LocalS3;
import com.robothy.s3.rest.bootstrap.LocalS3Mode;
import io.shardpress.spark.io.ObjectStoreSettings;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.LocatedFileStatus;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.RemoteIterator;

/** A real S3 server in this JVM, behind a {@link FaultyProxy} that counts what it is asked. */
final class S3Server implements AutoCloseable {
  static final String ACCESS_KEY = "AKIDNOTINANYOUTPUT77";
  static final String SECRET_KEY = "thisSecretIsInNoOutput+4711";

  private final LocalS3 server;
  private final FaultyProxy proxy;

  private S3Server(LocalS3 server, FaultyProxy proxy) {
    this.server = server;
    this.proxy = proxy;
  }

  static S3Server start() {
    LocalS3 server = LocalS3.builder().port(-1).mode(LocalS3Mode.IN_MEMORY).build();
    server.start();
    return new S3Server(server, FaultyProxy.before(server.getPort()));
  }

  FaultyProxy proxy() {
    return proxy;
  }

  String endpoint() {
    return "http://127.0.0.1:" + proxy.port();
  }

  /** Makes a bucket, by a request of its own. */
  void bucket(String name) {
    put(name);
  }

  /** Puts nothing under a path: a bucket, or an object of no bytes such as a folder's marker. */
  void put(String path) {
    HttpRequest request =
        HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + server.getPort() + "/" + path))
            .PUT(HttpRequest.BodyPublishers.noBody())
            .build();
    try {
      HttpResponse<String> answer =
          HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofString());
      if (answer.statusCode() != 200) {
        throw new IllegalStateException(answer.statusCode() + " " + answer.body());
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  /** What users set to reach a server of their own. */
  Map<String, String> settings() {
    // S3A tries as often as it does by itself, but with shorter pauses: tests would take minutes.
    // The
    // SDK below it, whose pauses cannot be set, does not try again.
    return Map.of(
        "fs.s3a.attempts.maximum",
        "0",
        "fs.s3a.retry.interval",
        "50ms",
        "fs.s3a.retry.throttle.interval",
        "50ms",
        "fs.s3a.endpoint",
        endpoint(),
        "fs.s3a.endpoint.region",
        "us-east-1",
        "fs.s3a.path.style.access",
        "true",
        "fs.s3a.connection.ssl.enabled",
        "false",
        "fs.s3a.access.key",
        ACCESS_KEY,
        "fs.s3a.secret.key",
        SECRET_KEY);
  }

  /** The same as options of a command. */
  List<String> options() {
    List<String> options = new ArrayList<>();
    settings().forEach((key, value) -> options.add("--conf=spark.hadoop." + key + "=" + value));
    return options;
  }

  Configuration configuration() {
    Configuration configuration = new Configuration();
    settings().forEach(configuration::set);
    ObjectStoreSettings.setDefaults(configuration);
    return configuration;
  }

  /** Copies the files of a local folder. */
  void upload(java.nio.file.Path folder, String uri) throws IOException {
    Folders.copy(folder, uri, configuration());
  }

  /** Names of the objects below a URI, from there on. */
  List<String> objects(String uri) throws IOException {
    Path root = new Path(uri);
    RemoteIterator<LocatedFileStatus> files =
        root.getFileSystem(configuration()).listFiles(root, true);
    List<String> names = new ArrayList<>();
    while (files.hasNext()) {
      names.add(files.next().getPath().toString().substring(uri.length() + 1));
    }
    return names;
  }

  @Override
  public void close() {
    proxy.close();
    server.shutdown();
  }
}
