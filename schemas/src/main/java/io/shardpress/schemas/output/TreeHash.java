package io.shardpress.schemas.output;

import io.shardpress.schemas.Sha256;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;

/**
 * One number for a whole checkpoint: SHA-256 over the lines {@code path<TAB>size<TAB>sha256<LF>} of
 * its files, sorted by the bytes of their paths. What may differ between equal runs is outside: the
 * manifest, {@code report/}, {@code runs/} and the part store.
 */
public final class TreeHash {
  private static final List<String> FOLDERS_OUTSIDE = List.of("report/", "runs/", ".shardpress/");

  private TreeHash() {}

  /** Whether a path counts. */
  public static boolean covers(String path) {
    return !path.equals(Manifest.FILE_NAME) && FOLDERS_OUTSIDE.stream().noneMatch(path::startsWith);
  }

  /** The hash of these files, in any order, as lower-case hex. */
  public static String of(Collection<PublishedFile> files) {
    MessageDigest sha = Sha256.digest();
    files.stream()
        .filter(file -> covers(file.path()))
        .sorted(Comparator.comparing(file -> utf8(file.path()), Arrays::compareUnsigned))
        .map(file -> file.path() + "\t" + file.size() + "\t" + file.sha256() + "\n")
        .forEach(line -> sha.update(utf8(line)));
    return Sha256.hex(sha);
  }

  private static byte[] utf8(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }
}
