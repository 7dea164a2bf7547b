package io.shardpress.schemas.safetensors;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shardpress.schemas.CheckpointException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class SafetensorsHeaderTest {
  private static final String A =
      "\"a\":{\"dtype\":\"F32\",\"shape\":[2,3],\"data_offsets\":[0,24]}";

  @Test
  void readsTensorsInOffsetOrderWhateverTheirOrderInTheFile() {
    String json =
        "{\"b\":{\"shape\":[],\"dtype\":\"BF16\",\"x\":[{}],\"data_offsets\":[24,26]},"
            + "\"__metadata__\":{\"format\":\"pt\"},"
            + A
            + ",\"e\":{\"dtype\":\"I64\",\"shape\":[7,0],\"data_offsets\":[24,24]}}   ";
    SafetensorsHeader header = RawFile.read(RawFile.of(json, 26));
    assertThat(header.tensors())
        .containsExactly(
            new TensorInfo("a", Dtype.F32, List.of(2L, 3L), 0, 24),
            new TensorInfo("e", Dtype.I64, List.of(7L, 0L), 24, 24),
            new TensorInfo("b", Dtype.BF16, List.of(), 24, 26));
    assertThat(header.metadata()).isEqualTo(Map.of("format", "pt"));
    assertThat(header.dataStart()).isEqualTo(8 + json.length());
    assertThat(header.tensors().get(1).elements()).isZero();
    assertThat(header.tensors().get(2).elements()).isEqualTo(1);
  }

  @Test
  void writesWidestFirstThenByNamePaddedToEightBytes() {
    String json =
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[2,3],\"data_offsets\":[0,24]},"
            + "\"c\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[24,28]},"
            + "\"b\":{\"dtype\":\"F16\",\"shape\":[2],\"data_offsets\":[28,32]}}";
    String padded = json + " ".repeat((8 - json.length() % 8) % 8);
    List<TensorSpec> tensors =
        List.of(
            new TensorSpec("b", Dtype.F16, List.of(2L)),
            new TensorSpec("c", Dtype.F32, List.of(1L)),
            new TensorSpec("a", Dtype.F32, List.of(2L, 3L)));
    byte[] written = SafetensorsHeader.write(SafetensorsHeader.writingOrder(tensors), Map.of());
    assertThat(new String(written, 8, written.length - 8, StandardCharsets.UTF_8))
        .isEqualTo(padded);
    assertThat(ByteBuffer.wrap(written).order(ByteOrder.LITTLE_ENDIAN).getLong())
        .isEqualTo(padded.length());
  }

  @Test
  void readsBackItsOwnHeadersWithNamesOutsideAscii() {
    TensorSpec tensor = new TensorSpec("\u00fcber\"\\\ud83d\ude00", Dtype.F4, List.of(4L));
    byte[] header = SafetensorsHeader.write(List.of(tensor), Map.of("k", "\u0000"));
    byte[] file = Arrays.copyOf(header, header.length + 2);
    assertThat(RawFile.read(file).tensors())
        .containsExactly(new TensorInfo(tensor.name(), Dtype.F4, List.of(4L), 0, 2));
    assertThat(RawFile.read(file).metadata()).isEqualTo(Map.of("k", "\u0000"));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '^',
      value = {
        "{'a':{'dtype':'U8','shape':[4],'data_offsets':[0,4]},'b':{'dtype':'U8','shape':[4],'data_offsets':[3,7]}} | 7 | tensor b: overlaps tensor a by 1 bytes: found begin 3, wanted 4",
        "{'a':{'dtype':'U8','shape':[4],'data_offsets':[0,4]},'b':{'dtype':'U8','shape':[4],'data_offsets':[6,10]}} | 10 | tensor b: leaves a hole of 2 bytes after tensor a: found begin 6, wanted 4",
        "{'a':{'dtype':'U8','shape':[4],'data_offsets':[1,5]}} | 5 | tensor a: leaves a hole of 1 bytes after the data's start",
        "{'a':{'dtype':'U8','shape':[4],'data_offsets':[0,4]}} | 3 | file is truncated: found 3 bytes of data after offset 61, wanted 4",
        "{'a':{'dtype':'U8','shape':[4],'data_offsets':[0,4]}} | 5 | bytes follow the last tensor: found 5",
        "{'a':{'dtype':'U8','shape':[4],'data_offsets':[4,0]}} | 4 | found end 0 before begin 4",
        "{'a':{'dtype':'F32','shape':[4],'data_offsets':[0,4]}} | 4 | found 4 bytes at data_offsets [0, 4], wanted 16 for shape [4] of F32",
        "{'a':{'dtype':'F4','shape':[3],'data_offsets':[0,1]}} | 1 | do not fill whole bytes",
        "{'a':{'dtype':'U8','shape':[4294967296,4294967296],'data_offsets':[0,4]}} | 4 | tensor a: shape [4294967296, 4294967296] of U8 gives no size",
        "{'a':{'dtype':'U8','shape':[4294967296,4294967296,0],'data_offsets':[0,0]}} | 0 | gives no size",
        "{'a':{'dtype':'F64','shape':[1152921504606846976],'data_offsets':[0,0]}} | 0 | gives no size",
        "{'a':{'dtype':'U8','shape':[9223372036854775808],'data_offsets':[0,0]}} | 0 | found 9223372036854775808 in shape",
        "{'a':{'dtype':'U8','shape':[-1],'data_offsets':[0,4]}} | 4 | found -1 in shape",
        "{'a':{'dtype':'U8','shape':[-0],'data_offsets':[0,0]}} | 0 | found -0 in shape",
        "{'a':{'dtype':'U8','more':NaN,'shape':[4],'data_offsets':[0,4]}} | 4 | bad JSON",
        "{'__metadata__':{'x':'\\udc00'}} | 0 | half a surrogate pair in the __metadata__ value",
        "{'a':{'dtype':'U8','shape':[4.0],'data_offsets':[0,4]}} | 4 | found 4.0 in shape, wanted an integer",
        "{'a':{'dtype':'U8','shape':4,'data_offsets':[0,4]}} | 4 | found shape 4",
        "{'a':{'dtype':'U8','shape':[4],'data_offsets':[0]}} | 4 | found data_offsets [0]",
        "{'a':{'dtype':'U8','shape':[4]}} | 4 | found no ^data_offsets^",
        "{'a':{'dtype':'Q8','shape':[4],'data_offsets':[0,4]}} | 4 | found dtype ^Q8^",
        "{'a':{'dtype':8,'shape':[4],'data_offsets':[0,4]}} | 4 | found dtype 8",
        "{'a':7} | 0 | tensor a: found 7",
        "{'a':{'dtype':'U8','shape':[4],'data_offsets':[0,4]},'a':{'dtype':'U8','shape':[4],'data_offsets':[0,4]}} | 4 | Duplicate field 'a'",
        "{'a':{'dtype':'U8','dtype':'I8','shape':[4],'data_offsets':[0,4]}} | 4 | Duplicate field 'dtype'",
        "{'__metadata__':{'x':1}} | 0 | key ^x^: found no string",
        "{'__metadata__':[]} | 0 | wanted an object of strings",
        "{'\\ud800':{'dtype':'U8','shape':[4],'data_offsets':[0,4]}} | 4 | half a surrogate pair",
        "{'a':{'dtype':'U8','shape':[4],'data_offsets':[0,4]}}{} | 4 | found more than spaces",
        "{'a':{'dtype':'U8','shape':[4],'data_offsets':[0,4] | 4 | bad JSON",
        "[] | 0 | found byte 0x5b at offset 8, wanted the '{'",
      })
  void rejectsWhatIsNoWholeFile(String json, int dataBytes, String message) {
    // A JSON key in quotes is the message's own; elsewhere 'x' stands for "x".
    String quoted = json.trim().replace('\'', '"');
    String wanted = message.trim().replace('^', '"');
    assertThatThrownBy(() -> RawFile.read(RawFile.of(quoted, dataBytes)))
        .isInstanceOf(CheckpointException.class)
        .hasMessageStartingWith("f.safetensors: ")
        .hasMessageContaining(wanted);
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 7})
  void rejectsAFileWithoutItsLength(int bytes) {
    assertThatThrownBy(() -> RawFile.read(new byte[bytes]))
        .isInstanceOf(CheckpointException.class)
        .hasMessageContaining("found " + bytes + " bytes, wanted at least the 8");
  }

  @Test
  void rejectsHeaderLengthsBeforeAnythingIsAllocated() {
    byte[] file = RawFile.of("{}", 0);
    ByteBuffer prefix = ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN);
    prefix.putLong(0, 3);
    assertThatThrownBy(() -> RawFile.read(file))
        .isInstanceOf(CheckpointException.class)
        .hasMessageContaining("found a header length of 3 at offset 0, wanted at most the 2 bytes");
    prefix.putLong(0, 100_000_001);
    assertThatThrownBy(() -> RawFile.read(file))
        .isInstanceOf(CheckpointException.class)
        .hasMessageContaining(
            "found a header length of 100000001 at offset 0, wanted at most 1000");
    prefix.putLong(0, -1);
    assertThatThrownBy(() -> RawFile.read(file))
        .isInstanceOf(CheckpointException.class)
        .hasMessageContaining("18446744073709551615");
    prefix.putLong(0, 0);
    assertThatThrownBy(() -> RawFile.read(file))
        .isInstanceOf(CheckpointException.class)
        .hasMessageContaining("found nothing at offset 8");
  }

  @ParameterizedTest
  @ValueSource(strings = {"gA==", "wIA=", "7aCA", "9ZCAgA==", "4oI="})
  void rejectsBadUtf8InAName(String base64) {
    byte[] bad = Base64.getDecoder().decode(base64);
    byte[] file = RawFile.of("{\"" + "x".repeat(bad.length) + "\":{}}", 0);
    System.arraycopy(bad, 0, file, 10, bad.length);
    assertThatThrownBy(() -> RawFile.read(file))
        .isInstanceOf(CheckpointException.class)
        .hasMessageContaining("bad UTF-8 in the JSON text: found byte 0x")
        .hasMessageContaining("at its byte 2");
  }
}
