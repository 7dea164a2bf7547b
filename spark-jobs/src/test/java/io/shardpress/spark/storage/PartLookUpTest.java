package io.shardpress.spark.storage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shardpress.schemas.safetensors.Dtype;
import io.shardpress.spark.store.PartKey;
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

  @Test
  void saysWhatItCannotLookUp(S3Server s3) {
    PartStore store = new PartStore("s3a://no-such-bucket-here/work", s3.configuration());
    List<PartKey> keys = List.of(key(0), key(1), key(2), key(3), key(4), key(5));
    assertThatThrownBy(() -> store.present(keys))
        .isInstanceOf(UncheckedIOException.class)
        .hasMessageContaining("no-such-bucket-here");
  }
}
