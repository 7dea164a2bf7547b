package io.shardpress.spark.endtoend;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** The files of a part store as a file system sees them: names, and which file a name is now. */
@SuppressWarnings("NonApiType")
final class PartFiles {
  private static final Pattern MODULE = Pattern.compile("(model\\.layers[\\w.]+)\\.codes");

  /** File key (inode) and modification time, by path. */
  private final Map<Path, String> files = new TreeMap<>();

  private PartFiles() {}

  static PartFiles of(Path store) throws IOException {
    PartFiles now = new PartFiles();
    try (Stream<Path> all = Files.walk(store.resolve("parts"))) {
      for (Path file : all.filter(Files::isRegularFile).toList()) {
        String identity =
            Files.getAttribute(file, "unix:ino") + " " + Files.getLastModifiedTime(file);
        now.files.put(file, identity);
      }
    }
    return now;
  }

  /** All of them, in the order of their names. */
  Iterable<Path> paths() {
    return files.keySet();
  }

  /** Those that were not there, or were other files. */
  TreeSet<Path> since(PartFiles before) {
    TreeSet<Path> made = new TreeSet<>();
    files.forEach(
        (path, identity) -> {
          if (!identity.equals(before.files.get(path))) {
            made.add(path);
          }
        });
    return made;
  }

  /** The linears whose codes stand in some parts, by looking for their names in the bytes. */
  static TreeSet<String> modules(Iterable<Path> parts) throws IOException {
    TreeSet<String> modules = new TreeSet<>();
    for (Path part : parts) {
      String bytes = new String(Files.readAllBytes(part), StandardCharsets.ISO_8859_1);
      Matcher found = MODULE.matcher(bytes);
      while (found.find()) {
        modules.add(found.group(1));
      }
    }
    return modules;
  }
}
