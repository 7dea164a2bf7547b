package io.shardpress.spark.output;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** All bytes come, in order, on another thread or on the caller's own; so does a failure. */
class WriteBehindTest {
  @ParameterizedTest
  @ValueSource(ints = {1, 2})
  void bytesAndActionsComeInOrder(int threads) throws IOException {
    Random random = new Random(7);
    ByteArrayOutputStream wanted = new ByteArrayOutputStream();
    ByteArrayOutputStream found = new ByteArrayOutputStream();
    List<Integer> sizes = new ArrayList<>();
    List<Integer> ends = new ArrayList<>();
    try (WriteBehind behind = new WriteBehind(threads)) {
      for (int i = 0; i < 20; i++) {
        OutputStream out = behind.to(found);
        // From nothing to several buffers.
        byte[] bytes = new byte[random.nextInt(10) * random.nextInt(100_000)];
        random.nextBytes(bytes);
        out.write(bytes);
        out.write(i);
        out.flush();
        wanted.write(bytes);
        wanted.write(i);
        ends.add(wanted.size());
        behind.then(() -> sizes.add(found.size()));
      }
      behind.finish();
    }
    assertThat(found.toByteArray()).isEqualTo(wanted.toByteArray());
    assertThat(sizes).isEqualTo(ends);
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2})
  void aFullDiskIsTold(int threads) throws IOException {
    Path full = Path.of("/dev/full");
    try (OutputStream target = new FileOutputStream(full.toFile());
        WriteBehind behind = new WriteBehind(threads)) {
      assertThatThrownBy(
              () -> {
                OutputStream out = behind.to(target);
                // More than all buffers hold: the caller must not wait for one for ever.
                for (int i = 0; i < 100; i++) {
                  out.write(new byte[100_000]);
                }
                out.flush();
                behind.finish();
              })
          .isInstanceOf(IOException.class)
          .hasMessageContaining("No space left");
    }
  }

  @Test
  void nothingRunsAfterAFailure() throws IOException {
    List<String> ran = new ArrayList<>();
    try (WriteBehind behind = new WriteBehind(2)) {
      behind.then(
          () -> {
            throw new IOException("first");
          });
      assertThatThrownBy(
              () -> {
                behind.then(() -> ran.add("second"));
                behind.finish();
              })
          .isInstanceOf(IOException.class)
          .hasMessage("first");
    }
    assertThat(ran).isEmpty();
  }
}
