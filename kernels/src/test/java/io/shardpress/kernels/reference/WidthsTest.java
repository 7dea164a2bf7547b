package io.shardpress.kernels.reference;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Whatever is written in the Vector API has a test that the build runs at each width. */
class WidthsTest {
  private static final Path MAIN = Path.of("src", "main", "java");
  private static final Path TESTS = Path.of("src", "test", "java");
  private static final Pattern WORD = Pattern.compile("\\w+");

  /** Their widths are constants, and one process has them all; and what asks for the width. */
  private static final Pattern ANY_WIDTH = Pattern.compile("MicroKernel\\d+|VectorWidth");

  @Test
  void allCodeOnVectorsIsTestedAtEachWidth() throws IOException {
    Set<String> tested = new HashSet<>();
    for (String test : sources(TESTS).values()) {
      if (test.contains("@OnVectors\n") || test.contains("extends TwinsTest")) {
        tested.addAll(words(test));
      }
    }
    Map<Path, String> sources = sources(MAIN);
    List<String> untested = new ArrayList<>();
    int onVectors = 0;
    for (Map.Entry<Path, String> source : sources.entrySet()) {
      String name = name(source.getKey());
      if (source.getValue().contains("import jdk.incubator.vector.")
          && !ANY_WIDTH.matcher(name).matches()) {
        onVectors++;
        // Itself, or a class beside it that calls it.
        boolean named =
            sources.entrySet().stream()
                .filter(other -> other.getKey().getParent().equals(source.getKey().getParent()))
                .filter(other -> words(other.getValue()).contains(name))
                .anyMatch(other -> tested.contains(name(other.getKey())));
        if (!named) {
          untested.add(name);
        }
      }
    }
    assertThat(onVectors).isGreaterThan(5);
    assertThat(untested)
        .as("code on vectors that no test with @OnVectors names; its callers' tests do not count")
        .isEmpty();
  }

  private static Map<Path, String> sources(Path root) throws IOException {
    Map<Path, String> sources = new TreeMap<>();
    try (Stream<Path> files = Files.walk(root)) {
      for (Path file : files.filter(path -> path.toString().endsWith(".java")).toList()) {
        sources.put(file, Files.readString(file));
      }
    }
    return sources;
  }

  private static Set<String> words(String source) {
    Set<String> words = new HashSet<>();
    WORD.matcher(source).results().forEach(word -> words.add(word.group()));
    return words;
  }

  private static String name(Path file) {
    return file.getFileName().toString().replace(".java", "");
  }
}
