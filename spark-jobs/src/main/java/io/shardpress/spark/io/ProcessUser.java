package io.shardpress.spark.io;

import io.shardpress.schemas.CheckpointException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.apache.hadoop.security.UserGroupInformation;

/**
 * Who this process runs as. Containers give processes numbers that no entry of /etc/passwd has a
 * name for; Hadoop does not start then, though local files and object stores ask for none.
 */
public final class ProcessUser {
  private static final Path SELF = Path.of("/proc/self");

  private ProcessUser() {}

  /** For messages: its name, or its number where it has none. */
  static String name() {
    String name = System.getProperty("user.name", "?");
    return name.equals("?") ? "number " + number().orElse("unknown") : name;
  }

  /**
   * Gives Hadoop a name for a user that has none: HADOOP_USER_NAME, SPARK_USER, or uid- and the
   * number.
   *
   * @throws CheckpointException where Kerberos wants one that is known
   */
  public static void require() {
    try {
      UserGroupInformation.getLoginUser();
    } catch (IOException e) {
      if (UserGroupInformation.isSecurityEnabled()) {
        throw new CheckpointException(
            "user %s cannot log in: %s; Kerberos wants a user with an entry in /etc/passwd"
                .formatted(name(), StorageFault.reason(e)),
            e);
      }
      UserGroupInformation.setLoginUser(UserGroupInformation.createRemoteUser(substitute()));
    }
  }

  private static String substitute() {
    return Optional.ofNullable(System.getenv("HADOOP_USER_NAME"))
        .or(() -> Optional.ofNullable(System.getenv("SPARK_USER")))
        .filter(name -> !name.isBlank())
        .orElseGet(() -> "uid-" + number().orElse("unknown"));
  }

  private static Optional<String> number() {
    try {
      return Optional.of(String.valueOf(Files.getAttribute(SELF, "unix:uid")));
    } catch (IOException | UnsupportedOperationException | IllegalArgumentException e) {
      return Optional.empty();
    }
  }
}
