package io.shardpress.spark.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shardpress.schemas.safetensors.Dtype;
import java.io.FileInputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.apache.arrow.memory.RootAllocator;
import org.apache.arrow.vector.ipc.ArrowFileReader;
import org.apache.arrow.vector.ipc.message.ArrowBlock;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A part that is not what was written is never read as if it were. */
class PartDamageTest {
  @TempDir Path folder;
  private PartStore store;
  private final PartKey key = PartKey.of("test").add("number", 1).build();
  private Path file;
  private byte[] bytes;
  private String content;

  @BeforeEach
  void write() throws IOException {
    store = new PartStore(folder.toString(), new Configuration(false));
    try (PartWriter writer = store.write(key)) {
      writer.add(
          new PartRow("codes", Dtype.U8, List.of(2L, 3L), 0, 2, new byte[] {1, 2, 3, 4, 5, 6}));
      writer.add(PartRow.ofFloats("scales", List.of(4L), 1, 2, new float[] {1.5f, -2, 3, 4}, 1));
      writer.note("error", "0.25 1.0");
      writer.commit();
    }
    try (Stream<Path> files = Files.walk(folder)) {
      file = files.filter(Files::isRegularFile).findFirst().orElseThrow();
    }
    bytes = Files.readAllBytes(file);
    content = read();
    assertThat(content).contains("codesU8[2, 3]0 2[1, 2, 3, 4, 5, 6], [-2.0, 3.0], {error=0.25");
  }

  @Test
  void aBitOfEveryByteIsSeenOrWithoutMeaning() throws IOException {
    int seen = 0;
    for (int at = 0; at < bytes.length; at++) {
      byte[] changed = bytes.clone();
      changed[at] ^= (byte) (1 << ((at * 5) % 8));
      Files.write(file, changed);
      try {
        assertThat(read()).as("byte %d", at).isEqualTo(content);
      } catch (PartException e) {
        assertThat(e).hasMessageContaining(key.hex());
        seen++;
      }
    }
    // The rest of so small a file is padding, and what Arrow says twice.
    assertThat(seen).isGreaterThan(bytes.length / 4);
  }

  @Test
  void everyShorterFileIsSeen() throws IOException {
    for (int length = 0; length < bytes.length; length++) {
      Files.write(file, Arrays.copyOf(bytes, length));
      assertThatThrownBy(this::read).isInstanceOf(PartException.class);
    }
  }

  @Test
  void anotherPartsFileIsSeenAndNoneToo() throws IOException {
    PartKey other = PartKey.of("test").add("number", 2).build();
    Path place = Path.of(store.path(other).toString());
    Files.createDirectories(place.getParent());
    Files.copy(file, place);
    assertThatThrownBy(() -> store.read(other).close()).isInstanceOf(PartException.class);
    store.discard(other);
    assertThatThrownBy(() -> store.read(other).close())
        .isInstanceOf(PartException.class)
        .hasMessageContaining("no such part");
  }

  /** The footer's checksum says nothing of where batches lie; what they hold does. */
  @Test
  void batchesInEachOthersPlaceAreSeen() throws IOException {
    PartKey other = PartKey.of("test").add("number", 3).build();
    try (PartWriter writer = store.write(other)) {
      writer.add(PartRow.ofFloats("abc", 1, 2, 3));
      writer.add(PartRow.ofFloats("xyz", 4, 5, 6));
      writer.commit();
    }
    Path place = Path.of(store.path(other).toString());
    byte[] found = Files.readAllBytes(place);
    ByteBuffer buffer = ByteBuffer.wrap(found).order(ByteOrder.LITTLE_ENDIAN);
    int footer = found.length - 10 - buffer.getInt(found.length - 10);
    List<Integer> offsets = new ArrayList<>();
    List<ArrowBlock> blocks = blocks(place);
    // Where the footer says of a batch how long it is, and before that where it lies.
    for (ArrowBlock block : blocks) {
      for (int at = footer; at + 24 <= found.length; at++) {
        if (buffer.getLong(at) == block.getOffset()
            && buffer.getInt(at + 8) == block.getMetadataLength()
            && buffer.getLong(at + 16) == block.getBodyLength()) {
          offsets.add(at);
        }
      }
    }
    assertThat(offsets).hasSize(2);
    buffer.putLong(offsets.get(0), blocks.get(1).getOffset());
    buffer.putLong(offsets.get(1), blocks.get(0).getOffset());
    Files.write(place, found);
    try (PartReader reader = store.read(other)) {
      assertThatThrownBy(() -> reader.row("abc"))
          .isInstanceOf(PartException.class)
          .hasMessageContaining("found rows [0, 3) of xyz, wanted rows [0, 3) of abc");
      assertThatThrownBy(() -> reader.floats("xyz", 0, 3, new float[3], 0))
          .isInstanceOf(PartException.class);
    }
  }

  private static List<ArrowBlock> blocks(Path file) throws IOException {
    try (RootAllocator allocator = new RootAllocator();
        FileInputStream in = new FileInputStream(file.toFile());
        ArrowFileReader reader = new ArrowFileReader(in.getChannel(), allocator)) {
      return List.copyOf(reader.getRecordBlocks());
    }
  }

  /** All that can be read, by place and by name. */
  private String read() {
    List<String> all = new ArrayList<>();
    try (PartReader reader = store.read(key)) {
      for (int i = 0; i < reader.rows(); i++) {
        all.add(text(reader.row(i)));
      }
      all.add(text(reader.row("codes")));
      float[] scales = new float[2];
      reader.floats("scales", 1, 2, scales, 0);
      all.add(Arrays.toString(scales));
      all.add(reader.notes().toString());
    }
    return all.toString();
  }

  private static String text(PartRow row) {
    return row.tensor()
        + row.dtype()
        + row.shape()
        + row.rowStart()
        + " "
        + row.rowCount()
        + Arrays.toString(row.data());
  }
}
