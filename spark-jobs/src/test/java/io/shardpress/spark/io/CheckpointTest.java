package io.shardpress.spark.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shardpress.schemas.CheckpointException;
import io.shardpress.schemas.safetensors.ShardIndex;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CheckpointTest {
  private static final String FIRST = SampleFiles.SHARDS.get(0);
  private static final String SECOND = SampleFiles.SHARDS.get(1);

  private final Configuration configuration = new Configuration();

  @TempDir Path temporary;

  @Test
  void listsTheSamplesTensorsAsTheyLie() {
    Checkpoint checkpoint = Checkpoint.open(SampleFiles.FOLDER.toString(), configuration);
    Map<String, SampleFiles.Tensor> wanted = SampleFiles.tensors();
    assertThat(checkpoint.tensors()).hasSameSizeAs(wanted.values());
    List<String> places = new ArrayList<>();
    for (TensorRef tensor : checkpoint.tensors()) {
      SampleFiles.Tensor other = wanted.get(tensor.tensor());
      assertThat(tensor.dtype().name()).isEqualTo(other.dtype());
      assertThat(tensor.shape()).isEqualTo(other.shape());
      assertThat(tensor.shard()).isEqualTo(other.shard());
      assertThat(tensor.position()).isEqualTo(other.position());
      assertThat(tensor.length()).isEqualTo(other.bytes().length);
      assertThat(tensor.file()).isEqualTo("file:" + SampleFiles.FOLDER.resolve(other.shard()));
      places.add(String.format(Locale.ROOT, "%s %012d", tensor.shard(), tensor.position()));
    }
    assertThat(places).isSorted();
    assertThat(checkpoint.files()).extracting(CheckpointFile::name).isEqualTo(SampleFiles.SHARDS);
    assertThat(checkpoint.files())
        .extracting(CheckpointFile::length)
        .containsExactly(3_938_264L, 3_545_536L);
    assertThat(checkpoint.otherFiles())
        .extracting(CheckpointFile::name)
        .contains("config.json", "tokenizer.json", ShardIndex.FILE_NAME)
        .doesNotContain(FIRST);
    assertThat(checkpoint.config().layers()).isEqualTo(6);
    assertThat(checkpoint.lmHead(checkpoint.config()))
        .isEqualTo(checkpoint.find("model.embed_tokens.weight"))
        .isPresent();
  }

  @Test
  void readsFoldersWithoutAnIndexAndWithSpacesInTheirNames() throws IOException {
    Path folder = SampleFiles.copy(temporary.resolve("a folder"));
    Files.delete(folder.resolve(ShardIndex.FILE_NAME));
    assertThat(Checkpoint.open(folder.toString(), configuration).shapes())
        .isEqualTo(Checkpoint.open(SampleFiles.FOLDER.toString(), configuration).shapes());
    Files.copy(folder.resolve(FIRST), folder.resolve("model.safetensors"));
    assertThat(Checkpoint.open("file:" + folder, configuration).files())
        .extracting(CheckpointFile::name)
        .containsExactly("model.safetensors");
    assertThat(Checkpoint.open(folder.resolve(SECOND).toString(), configuration).tensors())
        .hasSameSizeAs(SampleFiles.read(folder, SECOND));
  }

  @Test
  void rejectsATruncatedShard() throws IOException {
    Path folder = SampleFiles.copy(temporary);
    SampleFiles.truncate(folder.resolve(SECOND), 3_545_535);
    assertRejected(() -> open(folder), SECOND, "truncated: found 3542527", "wanted 3542528");
    SampleFiles.truncate(folder.resolve(SECOND), 100);
    assertRejected(() -> open(folder), SECOND, "header length of 3000", "the 92 bytes that follow");
    SampleFiles.truncate(folder.resolve(SECOND), 5);
    assertRejected(() -> open(folder), SECOND, "found 5 bytes, wanted at least the 8");
  }

  @Test
  void rejectsHeaderLengthsBeforeReadingThem() throws IOException {
    Path folder = SampleFiles.copy(temporary);
    SampleFiles.poke(folder.resolve(FIRST), 0, new byte[] {0, 0, 0, 0x7f});
    assertRejected(() -> open(folder), FIRST, "2130706432", "at most 100000000");
    SampleFiles.poke(folder.resolve(FIRST), 0, new byte[] {0, 0, 0, 5});
    assertRejected(() -> open(folder), FIRST, "83886080", "at most the 3938256 bytes");
  }

  @Test
  void rejectsAMissingShardAndNamesOutsideTheFolder() throws IOException {
    Path folder = SampleFiles.copy(temporary);
    Files.delete(folder.resolve(SECOND));
    assertRejected(
        () -> open(folder),
        ShardIndex.FILE_NAME,
        "tensor model.layers.3.input_layernorm.weight",
        "no file " + SECOND);
    SampleFiles.replace(folder.resolve(ShardIndex.FILE_NAME), SECOND, "../x");
    assertRejected(() -> open(folder), ShardIndex.FILE_NAME, "found file \"../x\"");
  }

  @Test
  void rejectsAnIndexThatDisagreesWithTheShards() throws IOException {
    Path folder = SampleFiles.copy(temporary);
    Path index = folder.resolve(ShardIndex.FILE_NAME);
    SampleFiles.replace(index, "model.norm.weight", "model.morn.weight");
    assertRejected(() -> open(folder), "tensor model.morn.weight: found it in no shard");
    Files.delete(index);
    SampleFiles.copy(temporary);
    SampleFiles.replace(
        index,
        "\"model.norm.weight\": \"" + SECOND + "\"",
        "\"model.norm.weight\": \"" + FIRST + "\"");
    assertRejected(() -> open(folder), "model.norm.weight: found it in " + SECOND);
    String text = Files.readString(index);
    Files.writeString(
        index,
        text.replaceAll("\"model.norm.weight\": \"[^\"]*\"", "\"x\": \"x\"")
            .replaceAll(",\\s*\"x\": \"x\"", ""));
    assertRejected(
        () -> open(folder), "model.norm.weight: found it in " + SECOND + ", but weight_map");
  }

  @Test
  void rejectsATensorInTwoShards() throws IOException {
    Path folder = SampleFiles.copy(temporary);
    Files.delete(folder.resolve(ShardIndex.FILE_NAME));
    Files.copy(folder.resolve(FIRST), folder.resolve("z.safetensors"));
    assertRejected(() -> open(folder), "z.safetensors", "found it here and in " + FIRST);
  }

  @Test
  void rejectsAConfigOfAnotherModel() throws IOException {
    Path folder = SampleFiles.copy(temporary);
    Path config = folder.resolve("config.json");
    SampleFiles.replace(config, "\"intermediate_size\": 512", "\"intermediate_size\": 768");
    assertRejected(
        () -> open(folder).config(),
        "tensor model.layers.0.mlp.gate_proj.weight",
        "found shape [512, 256], wanted [768, 256]",
        "intermediate_size");
    Files.delete(config);
    assertRejected(() -> open(folder).config(), "found no config.json");
  }

  @Test
  void refusesPickles() throws IOException {
    Files.writeString(temporary.resolve("pytorch_model.bin"), "x");
    assertRejected(() -> open(temporary), "pytorch_model.bin", "save_pretrained");
    Files.delete(temporary.resolve("pytorch_model.bin"));
    assertRejected(() -> open(temporary), "found no *.safetensors file");
    assertRejected(() -> open(temporary.resolve("absent")), "absent: no such folder");
  }

  private Checkpoint open(Path folder) {
    return Checkpoint.open(folder.toString(), configuration);
  }

  private static void assertRejected(ThrowingCallable call, String... parts) {
    assertThatThrownBy(call).isInstanceOf(CheckpointException.class).hasMessageContainingAll(parts);
  }
}
