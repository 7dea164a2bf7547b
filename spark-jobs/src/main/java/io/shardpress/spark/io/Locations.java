package io.shardpress.spark.io;

import io.shardpress.schemas.CheckpointException;
import io.shardpress.schemas.UsageException;
import java.io.IOException;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;

/** The URIs that a command names, looked at before anything is done. */
public final class Locations {
  private static final String S3A = "s3a://";

  /** user:password@ before a host. */
  private static final Pattern PASSWORD =
      Pattern.compile("[A-Za-z][A-Za-z0-9+.-]*:/+[^/@\\s]*:[^/@\\s]*@.*");

  /** Buckets have neither : nor @ in their names. */
  private static final Pattern KEYS = Pattern.compile("s3[an]?:/+[^/]*[:@].*");

  private Locations() {}

  /**
   * Refuses a URI with credentials in it: it would stand in logs, in the manifest and in process
   * lists.
   *
   * @throws UsageException which does not repeat them
   */
  public static void refuseCredentials(String uri) {
    if (PASSWORD.matcher(uri).matches() || KEYS.matcher(uri).matches()) {
      throw new UsageException(
          "a URI %s://… has credentials in it, which would end up in logs; set fs.s3a.access.key and fs.s3a.secret.key, or a credential provider, in core-site.xml"
              .formatted(uri.substring(0, uri.indexOf(':'))));
    }
  }

  /**
   * Looks whether there is a file system for each URI, and asks S3 once for each bucket.
   *
   * @throws CheckpointException where there is not, the bucket is not there or does not answer
   */
  public static void check(List<String> uris, Configuration configuration) {
    Set<String> buckets = new LinkedHashSet<>();
    for (String uri : uris) {
      requireConnector(uri, configuration);
      if (uri.startsWith(S3A)) {
        buckets.add(S3A + new Path(uri).toUri().getAuthority());
      }
    }
    for (String bucket : buckets) {
      Path root = new Path(bucket + "/");
      try {
        FileSystem.newInstance(root.toUri(), ObjectStoreSettings.impatient(configuration)).close();
      } catch (IOException | RuntimeException e) {
        throw new CheckpointException(bucket + ": cannot use this bucket: " + reason(e), e);
      }
    }
  }

  private static void requireConnector(String uri, Configuration configuration) {
    String scheme;
    try {
      scheme = new Path(uri).toUri().getScheme();
    } catch (IllegalArgumentException e) {
      return; // told by who opens it
    }
    if (scheme == null) {
      return;
    }
    try {
      FileSystem.getFileSystemClass(scheme, configuration);
    } catch (IOException | RuntimeException e) {
      String hint =
          scheme.equals("s3") || scheme.equals("s3n")
              ? "write s3a://"
              : "put its connector's jar on the class path: spark-submit --jars, or SHARDPRESS_CLASSPATH for scripts/shardpress";
      throw new CheckpointException(
          "%s: found no file system for %s://; %s".formatted(uri, scheme, hint), e);
    }
  }

  private static String reason(Exception e) {
    String message = e.getMessage() == null ? e.toString() : e.getMessage();
    return message.lines().findFirst().orElse("").strip();
  }
}
