package io.shardpress.spark.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shardpress.spark.io.CountingFileSystem;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Rows of a part by their names: the right ones, and no others are read. */
class PartReadsTest {
  private static final int IN = 1000;
  private static final int TILE_ROWS = 70;
  private static final int ROWS = 3 * TILE_ROWS - 20;

  /** Bytes that a row may cost beside its own: the rest of its batch, and the footer. */
  private static final long SLACK_BYTES = 8 << 10;

  @TempDir Path folder;
  private PartStore store;
  private final PartKey key = key(0);

  private static PartKey key(int number) {
    return PartKey.of("test").add("number", number).build();
  }

  private static float value(String tensor, int row, int column) {
    return tensor.length() * 1e6f + row * 1000 + column;
  }

  private static float[] matrix(String tensor) {
    float[] values = new float[ROWS * IN];
    for (int i = 0; i < values.length; i++) {
      values[i] = value(tensor, i / IN, i % IN);
    }
    return values;
  }

  @BeforeEach
  void write() {
    store = new PartStore(CountingFileSystem.uri(folder), CountingFileSystem.configuration());
    try (PartWriter writer = store.write(key)) {
      writer.add(PartRow.ofFloats("importance", 1, 2, 3));
      // Tiles of two tensors, one among the other.
      for (int start = 0; start < ROWS; start += TILE_ROWS) {
        int count = Math.min(TILE_ROWS, ROWS - start);
        for (String tensor : List.of("upper", "moments")) {
          List<Long> shape = List.of((long) ROWS, (long) IN);
          writer.addFloats(tensor, shape, start, count, matrix(tensor), start * IN);
        }
      }
      writer.add(PartRow.ofInts("ids", List.of(2L, 3L), 0, 2, new int[] {1, -2, 3, 4, 5, 1 << 30}));
      writer.add(PartRow.ofLongs("places", 1, -5, 1L << 40));
      writer.add(PartRow.ofDoubles("sums", Math.PI, -0.0));
      writer.note("count", "7");
      writer.commit();
    }
    CountingFileSystem.reset();
  }

  private long bytesRead() {
    return CountingFileSystem.bytes(file(key), 0, Long.MAX_VALUE);
  }

  private Path file(PartKey part) {
    return Path.of(store.path(part).toUri().getPath());
  }

  @Test
  void aTensorInTilesIsReadWithoutTheOther() {
    float[] found = new float[ROWS * IN + 1];
    try (PartReader reader = store.read(key)) {
      assertThat(reader.floats("moments", 0, ROWS, found, 1)).isEqualTo(ROWS * IN);
    }
    assertThat(Arrays.copyOfRange(found, 1, found.length)).isEqualTo(matrix("moments"));
    long wanted = 4L * ROWS * IN;
    assertThat(bytesRead()).isBetween(wanted, wanted + SLACK_BYTES);
  }

  @Test
  void someRowsAreReadWithoutTheOthers() {
    float[] found = new float[TILE_ROWS * IN];
    try (PartReader reader = store.read(key)) {
      reader.floats("upper", TILE_ROWS, TILE_ROWS, found, 0);
    }
    assertThat(found)
        .isEqualTo(Arrays.copyOfRange(matrix("upper"), TILE_ROWS * IN, 2 * TILE_ROWS * IN));
    long wanted = 4L * found.length;
    assertThat(bytesRead()).isBetween(wanted, wanted + SLACK_BYTES);
  }

  @Test
  void smallRowsOfEveryKind() {
    try (PartReader reader = store.read(key)) {
      assertThat(reader.rows()).isEqualTo(10);
      assertThat(reader.row("importance").floats()).containsExactly(1, 2, 3);
      assertThat(reader.row("places").longs()).containsExactly(1, -5, 1L << 40);
      assertThat(reader.row("sums").doubles()).containsExactly(Math.PI, -0.0);
      PartRow ids = reader.row("ids");
      assertThat(ids.shape()).containsExactly(2L, 3L);
      assertThat(ids.ints()).containsExactly(1, -2, 3, 4, 5, 1 << 30);
      int[] into = new int[8];
      assertThat(reader.ints("ids", 0, 2, into, 2)).isEqualTo(6);
      assertThat(into).containsExactly(0, 0, 1, -2, 3, 4, 5, 1 << 30);
    }
    assertThat(bytesRead()).isLessThan(SLACK_BYTES);
  }

  @Test
  void notesAreReadWithoutAnyRow() {
    try (PartReader reader = store.read(key)) {
      assertThat(reader.notes()).isEqualTo(Map.of("count", "7"));
    }
    assertThat(bytesRead()).isLessThan(SLACK_BYTES / 2);
  }

  @Test
  void missingRowsAreNamed() {
    float[] into = new float[ROWS * IN];
    try (PartReader reader = store.read(key)) {
      assertThatThrownBy(() -> reader.row("weight"))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining(file(key) + ": found [rows [0, 3) of importance, ")
          .hasMessageEndingWith("wanted one row with all of weight");
      assertThatThrownBy(() -> reader.row("upper"))
          .hasMessageContaining("rows [140, 190) of upper]")
          .hasMessageEndingWith("wanted one row with all of upper");
      // Neither half a tile nor more rows than there are.
      assertThatThrownBy(() -> reader.floats("upper", 0, 100, into, 0))
          .hasMessageEndingWith("wanted rows [0, 100) of upper");
      assertThatThrownBy(() -> reader.floats("upper", 10, 60, into, 0))
          .isInstanceOf(IllegalStateException.class);
      assertThatThrownBy(() -> reader.floats("upper", TILE_ROWS, ROWS, into, 0))
          .isInstanceOf(IllegalStateException.class);
    }
    assertThat(into).containsOnly(0);
  }

  @Test
  void aRowIsWrittenOnce() {
    try (PartWriter writer = store.write(key(1))) {
      writer.add(PartRow.ofFloats("x", 1, 2));
      assertThatThrownBy(() -> writer.add(PartRow.ofFloats("x", 3, 4)))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("rows [0, 2) of x");
    }
  }

  @Test
  void namesMayHoldAnything() {
    List<String> names = List.of("", " ", "1 2 3 x\n4 5", "naïve 名前 \uD83D\uDE00", "a.codes");
    try (PartWriter writer = store.write(key(2))) {
      names.forEach(name -> writer.add(PartRow.ofLongs(name, name.hashCode())));
      writer.commit();
    }
    try (PartReader reader = store.read(key(2))) {
      for (String name : names) {
        assertThat(reader.row(name).longs()).containsExactly(name.hashCode());
      }
    }
  }

  @Test
  void manyPartsSideBySide() {
    List<PartKey> parts = new ArrayList<>();
    for (int i = 100; i < 150; i++) {
      parts.add(key(i));
      try (PartWriter writer = store.write(key(i))) {
        writer.note("number", String.valueOf(i));
        writer.commit();
      }
    }
    List<String> numbers = store.readEach(parts, reader -> reader.note("number"));
    for (int i = 0; i < parts.size(); i++) {
      assertThat(numbers.get(i)).isEqualTo(String.valueOf(100 + i));
    }
    assertThat(store.readEach(parts.subList(3, 5), reader -> reader.note("number")))
        .containsExactly("103", "104");
    store.delete(parts.get(7));
    store.delete(parts.get(31));
    assertThatThrownBy(() -> store.readEach(parts, reader -> reader.note("number")))
        .isInstanceOfSatisfying(
            PartException.class,
            e ->
                assertThat(e.faults())
                    .extracting(PartFault::part)
                    .containsExactly(parts.get(7), parts.get(31)));
  }

  @Test
  void partsThatAreOpenTogetherAreClosedTogether() {
    try (OpenParts<String> open = OpenParts.of(store, Map.of("one", key))) {
      assertThat(open.readers().get("one").row("importance").floats()).containsExactly(1, 2, 3);
    }
    long before = allocated();
    assertThatThrownBy(() -> OpenParts.of(store, Map.of(1, key, 2, key(9), 3, key)))
        .isInstanceOf(PartException.class);
    assertThat(allocated()).isEqualTo(before);
  }

  private static long allocated() {
    return org.apache.spark.sql.util.ArrowUtils.rootAllocator().getChildAllocators().size();
  }
}
