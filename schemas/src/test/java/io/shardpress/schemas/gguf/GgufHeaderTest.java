package io.shardpress.schemas.gguf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** A header written by hand from the format's definition. */
class GgufHeaderTest {
  private static byte[] hex(String... parts) {
    return HexFormat.of().parseHex(String.join("", parts).replace(" ", ""));
  }

  @Test
  void isWhatTheDefinitionSays() {
    Map<String, GgufValue> metadata = new LinkedHashMap<>();
    metadata.put("a", new GgufValue.U32(7));
    metadata.put("b", new GgufValue.Text("é"));
    metadata.put("c", new GgufValue.F32(1f));
    metadata.put("d", new GgufValue.Bool(true));
    metadata.put("e", new GgufValue.Ints(List.of(1, -1)));
    metadata.put("f", new GgufValue.Texts(List.of("x")));
    metadata.put("g", new GgufValue.Floats(List.of(-2f)));
    metadata.put("h", new GgufValue.U16(3));
    metadata.put("i", new GgufValue.I32(-3));
    List<GgufTensor> tensors =
        List.of(
            new GgufTensor("n", GgufType.F32, List.of(3L)),
            new GgufTensor("w", GgufType.Q4_0, List.of(2L, 64L)),
            new GgufTensor("z", GgufType.BF16, List.of(1L, 2L)));
    byte[] wanted =
        hex(
            "47475546 03000000 0300000000000000 0900000000000000",
            "0100000000000000 61 04000000 07000000",
            "0100000000000000 62 08000000 0200000000000000 c3a9",
            "0100000000000000 63 06000000 0000803f",
            "0100000000000000 64 07000000 01",
            "0100000000000000 65 09000000 05000000 0200000000000000 01000000 ffffffff",
            "0100000000000000 66 09000000 08000000 0100000000000000 0100000000000000 78",
            "0100000000000000 67 09000000 06000000 0100000000000000 000000c0",
            "0100000000000000 68 02000000 0300",
            "0100000000000000 69 05000000 fdffffff",
            // 12 bytes are padded to 32; 2 rows of 2 blocks of 18 bytes to 96.
            "0100000000000000 6e 01000000 0300000000000000 00000000 0000000000000000",
            "0100000000000000 77 02000000 4000000000000000 0200000000000000 02000000"
                + " 2000000000000000",
            "0100000000000000 7a 02000000 0200000000000000 0100000000000000 1e000000"
                + " 8000000000000000");
    byte[] header = GgufHeader.write(metadata, tensors);
    assertThat(header.length % 32).isZero();
    assertThat(header.length - wanted.length).isBetween(0, 31);
    byte[] padded = java.util.Arrays.copyOf(wanted, header.length);
    assertThat(HexFormat.of().formatHex(header)).isEqualTo(HexFormat.of().formatHex(padded));
  }

  @Test
  void whatReadersRefuseIsNotWritten() {
    assertThatThrownBy(() -> new GgufTensor("w", GgufType.Q4_K, List.of(2L, 128L)))
        .hasMessageContaining("blocks of Q4_K");
    assertThatThrownBy(() -> new GgufTensor("w".repeat(64), GgufType.F32, List.of(2L)))
        .hasMessageContaining("64");
  }
}
