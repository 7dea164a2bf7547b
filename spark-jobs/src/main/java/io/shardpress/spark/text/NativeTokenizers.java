package io.shardpress.spark.text;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.stream.Stream;

/**
 * Settings of DJL's tokenizers, made before its first class is loaded: it stays off the network (no
 * download, no call home), and its library is unpacked into a folder of this process alone instead
 * of the home directory. What the user set is kept.
 */
final class NativeTokenizers {
  private static boolean prepared;

  private NativeTokenizers() {}

  static synchronized void prepare() {
    if (prepared) {
      return;
    }
    keep("ai.djl.offline", "true");
    keep("OPT_OUT_TRACKING", "true");
    if (System.getenv("ENGINE_CACHE_DIR") == null
        && System.getProperty("ENGINE_CACHE_DIR") == null) {
      System.setProperty("ENGINE_CACHE_DIR", processFolder().toString());
    }
    prepared = true;
  }

  private static void keep(String property, String value) {
    if (System.getProperty(property) == null) {
      System.setProperty(property, value);
    }
  }

  /** A fresh folder: one with a fixed name in a shared temporary folder could be another user's. */
  private static Path processFolder() {
    try {
      Path folder = Files.createTempDirectory("shardpress-tokenizers");
      Runtime.getRuntime().addShutdownHook(new Thread(() -> delete(folder)));
      return folder;
    } catch (IOException e) {
      throw new UncheckedIOException(
          "no temporary folder for the tokenizer's library; set java.io.tmpdir", e);
    }
  }

  private static void delete(Path folder) {
    try (Stream<Path> files = Files.walk(folder)) {
      files.sorted(Comparator.reverseOrder()).forEach(file -> file.toFile().delete());
    } catch (IOException | UncheckedIOException e) {
      // The process ends; the system clears its temporary folder.
    }
  }
}
