package io.shardpress.spark.storage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shardpress.schemas.safetensors.Dtype;
import io.shardpress.spark.store.PartKey;
import io.shardpress.spark.store.PartReader;
import io.shardpress.spark.store.PartRow;
import io.shardpress.spark.store.PartStore;
import io.shardpress.spark.store.PartWriter;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(Servers.class)
class PartLookUpTest {
  private static PartKey key(int number) {
    return PartKey.of("part").add("number", number).build();
  }

  @Test
  void findsWhatIsThereAndNothingElse(S3Server s3) throws IOException {
    s3.bucket("look-up");
    PartStore store = new PartStore("s3a://look-up/work", s3.configuration());
    List<PartKey> all = new ArrayList<>();
    List<PartKey> written = new ArrayList<>();
    for (int i = 0; i < 60; i++) {
      all.add(key(i));
      if (i % 3 == 0) {
        written.add(key(i));
        try (PartWriter writer = store.write(key(i))) {
          writer.add(new PartRow("t", Dtype.U8, List.of(1L), 0, 1, new byte[] {(byte) i}));
          writer.commit();
        }
      }
    }
    assertThat(store.present(all)).containsExactlyInAnyOrderElementsOf(written);
    assertThat(store.present(all.subList(0, 4))).containsExactlyInAnyOrder(key(0), key(3));
    assertThat(store.present(List.of())).isEmpty();
  }

  /** One to ask how long it is, one for its end, with the footer, and here all of it. */
  @Test
  void aSmallPartIsTwoRequests(S3Server s3) throws IOException {
    s3.bucket("footer");
    PartStore store = new PartStore("s3a://footer/work", s3.configuration());
    try (PartWriter writer = store.write(key(0))) {
      writer.add(PartRow.ofFloats("x", 1, 2));
      writer.note("error", "0.5");
      writer.commit();
    }
    s3.proxy().reset(Faults.NONE);
    try (PartReader reader = store.read(key(0))) {
      assertThat(reader.note("error")).isEqualTo("0.5");
      assertThat(reader.row("x").floats()).containsExactly(1, 2);
    }
    assertThat(s3.proxy().requests()).extracting(Request::method).containsExactly("HEAD", "GET");
  }

  @Test
  void saysWhatItCannotLookUp(S3Server s3) {
    PartStore store = new PartStore("s3a://no-such-bucket-here/work", s3.configuration());
    List<PartKey> keys = List.of(key(0), key(1), key(2), key(3), key(4), key(5));
    assertThatThrownBy(() -> store.present(keys))
        .isInstanceOf(UncheckedIOException.class)
        .hasMessageContaining("no-such-bucket-here");
  }
}
