package io.shardpress.spark.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shardpress.spark.io.Traffic;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.sql.util.ArrowUtils;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PartWriterTest {
  private static final PartKey KEY = PartKey.of("part").build();

  @TempDir private Path folder;

  /** As a task's that is killed after so many of its writes. */
  private static final class Ending implements Traffic {
    private int left;

    Ending(int writes) {
      left = writes;
    }

    @Override
    public void read(long bytes) {}

    @Override
    public void written(long bytes) {}

    @Override
    public void checkpoint() {
      if (--left < 0) {
        throw new ArithmeticException("killed");
      }
    }
  }

  private void write(Traffic traffic) {
    PartStore store = new PartStore(folder.toString(), new Configuration(false), traffic);
    try (PartWriter writer = store.write(KEY)) {
      for (int row = 0; row < 3; row++) {
        writer.addFloats("row", List.of(3L, 4L), row, 1, new float[12], 4 * row);
      }
      writer.note("a", "note");
      writer.commit();
    }
  }

  @Test
  void whereverItIsEndedItLeavesNothing() throws IOException {
    long before = ArrowUtils.rootAllocator().getAllocatedMemory();
    int writes = 0;
    while (!new PartStore(folder.toString(), new Configuration(false)).has(KEY)) {
      Ending ending = new Ending(writes++);
      if (Files.exists(folder.resolve("parts"))) {
        try (Stream<Path> files = Files.walk(folder)) {
          assertThat(files.filter(Files::isRegularFile)).isEmpty();
        }
      }
      try {
        write(ending);
      } catch (ArithmeticException e) {
        assertThat(ending.left).isNegative();
      }
      assertThat(ArrowUtils.rootAllocator().getAllocatedMemory()).isEqualTo(before);
    }
    // A header, three rows with their lengths, a footer.
    assertThat(writes).isGreaterThan(6);
    assertThatThrownBy(() -> write(new Ending(0))).hasMessage("killed");
  }
}
