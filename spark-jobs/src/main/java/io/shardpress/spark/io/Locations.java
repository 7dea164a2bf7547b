package io.shardpress.spark.io;

import io.shardpress.schemas.CheckpointException;
import io.shardpress.schemas.UsageException;
import java.io.IOException;
import java.net.URI;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;

/** The URIs that a command names, looked at before anything is done. */
public final class Locations {
  /** What stands in a name whose bytes the locale has no characters for. */
  private static final char UNREADABLE = '\ufffd';

  private static final Pattern WEB =
      Pattern.compile("(https?|hf|huggingface):.*", Pattern.CASE_INSENSITIVE | Pattern.DOTALL);

  private static final Pattern HUB_NAME =
      Pattern.compile("[A-Za-z0-9][A-Za-z0-9_.-]*/[A-Za-z0-9][A-Za-z0-9_.-]*");

  /** S3A's own, and those that are read by it where nothing else is installed for them. */
  private static final Pattern S3 = Pattern.compile("(s3[an]?)://.*", Pattern.DOTALL);

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
   * The same, and refuses what no file system of ours is asked for.
   *
   * @throws UsageException for http:// and what names nothing that could be opened
   */
  public static void refuseUnusable(String uri) {
    refuseCredentials(uri);
    if (uri.isBlank()) {
      throw new UsageException("found an empty name of a file or folder; give a path or a URI");
    }
    if (WEB.matcher(uri).matches()) {
      throw new UsageException(
          uri
              + ": files are read from file systems and object stores, not from sites; fetch it"
              + " first, such as with: hf download ORG/MODEL --local-dir FOLDER");
    }
    if (uri.indexOf(UNREADABLE) >= 0) {
      throw new UsageException(
          uri
              + ": the locale ("
              + System.getProperty("sun.jnu.encoding")
              + ") cannot name this path; set LC_ALL=C.UTF-8");
    }
  }

  /** What may be meant by a name where nothing is; empty, or a clause behind a semicolon. */
  public static String hint(String uri) {
    if (uri.startsWith("~")) {
      return "; the shell has not expanded ~ there, write $HOME";
    }
    if (HUB_NAME.matcher(uri).matches()) {
      return "; if it is a name on the Hugging Face hub, fetch it first: hf download "
          + uri
          + " --local-dir FOLDER";
    }
    return "";
  }

  /**
   * Looks whether there is a file system for each URI, and asks S3 once for each bucket.
   *
   * @throws CheckpointException where there is not, the bucket is not there or does not answer
   */
  public static void check(List<String> uris, Configuration configuration) {
    Set<String> buckets = new LinkedHashSet<>();
    for (String uri : uris) {
      refuseUnusable(uri);
      requireConnector(uri, configuration);
      if (S3.matcher(uri).matches() && isS3a(new Path(uri), configuration)) {
        URI whole = new Path(uri).toUri();
        buckets.add(whole.getScheme() + "://" + whole.getAuthority());
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

  /** Not so on EMR, whose own file system stands behind s3://. */
  private static boolean isS3a(Path path, Configuration configuration) {
    try {
      return FileSystem.getFileSystemClass(path.toUri().getScheme(), configuration)
          .getName()
          .equals(ObjectStoreSettings.S3A_CLASS);
    } catch (IOException | RuntimeException e) {
      return false;
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
              ? "on EMR its own stands behind s3://, elsewhere hadoop-aws reads it as s3a://: put its"
                  + " jar on the class path, by spark-submit --packages or SHARDPRESS_CLASSPATH"
              : "put its connector's jar on the class path: spark-submit --jars, or SHARDPRESS_CLASSPATH for scripts/shardpress";
      throw new CheckpointException(
          "%s: found no file system for %s://; %s".formatted(uri, scheme, hint), e);
    }
  }

  private static String reason(Exception e) {
    if (e instanceof IOException storage && StorageFault.denied(storage)) {
      return StorageFault.reason(storage);
    }
    String message = e.getMessage() == null ? e.toString() : e.getMessage();
    return message.lines().findFirst().orElse("").strip();
  }
}
