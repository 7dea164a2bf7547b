package io.shardpress.spark.text;

import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.shardpress.schemas.CheckpointException;
import io.shardpress.schemas.WrongContent;
import io.shardpress.schemas.json.ByteOrderMark;
import io.shardpress.spark.io.StorageFault;
import java.io.ByteArrayInputStream;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.util.Arrays;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;

/**
 * A model's tokenizer.json, as Hugging Face's own library reads it: special tokens as the file
 * says, truncation and padding off whatever the file says. Not safe for use by several threads at
 * once.
 */
public final class TokenizerFile implements AutoCloseable {
  public static final String FILE_NAME = "tokenizer.json";

  private static final Map<String, String> OPTIONS =
      Map.of(
          "addSpecialTokens", "true",
          "truncation", "false",
          "padding", "false",
          // Silences a warning on texts longer than any context; nothing is cut.
          "modelMaxLength", String.valueOf(Integer.MAX_VALUE));

  private final String source;
  private final HuggingFaceTokenizer tokenizer;
  private final int size;

  private TokenizerFile(String source, HuggingFaceTokenizer tokenizer, int size) {
    this.source = source;
    this.tokenizer = tokenizer;
    this.size = size;
  }

  /**
   * Reads tokenizer.json in a model's folder on any Hadoop file system.
   *
   * @throws CheckpointException where there is none, or it is broken
   */
  public static TokenizerFile load(Path model, Configuration conf) {
    Path file = new Path(model, FILE_NAME);
    try {
      FileSystem fileSystem = file.getFileSystem(conf);
      try (FSDataInputStream in = fileSystem.open(file)) {
        return load(file.toString(), in.readAllBytes());
      }
    } catch (FileNotFoundException e) {
      if (StorageFault.denied(e)) {
        throw new CheckpointException(file + ": " + StorageFault.reason(e), e);
      }
      throw new CheckpointException(
          file + " does not exist; write it with save_pretrained of Transformers' AutoTokenizer",
          e);
    } catch (IOException e) {
      throw new CheckpointException(file + ": not readable: " + StorageFault.reason(e), e);
    }
  }

  /**
   * Reads the bytes of a tokenizer.json.
   *
   * @param source the file's URI, for messages
   * @throws CheckpointException where they are broken
   */
  public static TokenizerFile load(String source, byte[] json) {
    int size = sizeOf(source, json);
    int mark = ByteOrderMark.length(json);
    NativeTokenizers.prepare();
    try {
      return new TokenizerFile(
          source,
          HuggingFaceTokenizer.newInstance(
              new ByteArrayInputStream(json, mark, json.length - mark), OPTIONS),
          size);
    } catch (IOException | RuntimeException e) {
      throw new CheckpointException(source + ": no tokenizer: " + e.getMessage(), e);
    }
  }

  /** One more than the greatest id; a vocabulary is an object (BPE) or a list (Unigram). */
  private static int sizeOf(String source, byte[] json) {
    WrongContent.of(json)
        .ifPresent(
            what -> {
              throw new CheckpointException(source + ": found " + what);
            });
    int mark = ByteOrderMark.length(json);
    JsonNode root;
    try {
      root = new ObjectMapper().readTree(json, mark, json.length - mark);
    } catch (IOException e) {
      throw new CheckpointException(source + ": no JSON: " + firstLine(e), e);
    }
    JsonNode vocabulary = root.path("model").path("vocab");
    int size = vocabulary.isArray() ? vocabulary.size() : 0;
    if (vocabulary.isObject()) {
      for (JsonNode id : vocabulary) {
        size = Math.max(size, id.asInt() + 1);
      }
    }
    for (JsonNode token : root.path("added_tokens")) {
      size = Math.max(size, token.path("id").asInt() + 1);
    }
    if (size == 0) {
      throw new CheckpointException(source + ": model.vocab is missing or empty");
    }
    return size;
  }

  private static String firstLine(IOException e) {
    return String.valueOf(e.getMessage()).lines().findFirst().orElse("");
  }

  /** The file's URI. */
  public String source() {
    return source;
  }

  /** One more than the greatest id that it can give. */
  public int size() {
    return size;
  }

  /** The ids of a text, with the special tokens that the tokenizer itself adds. */
  public int[] encode(String text) {
    return Arrays.stream(tokenizer.encode(text).getIds()).mapToInt(Math::toIntExact).toArray();
  }

  /** The ids of a text that a chat template has given special tokens: none are added. */
  int[] encodeTemplated(String text) {
    return Arrays.stream(tokenizer.encode(text, false, false).getIds())
        .mapToInt(Math::toIntExact)
        .toArray();
  }

  /** The text of ids, without special tokens. */
  public String decode(int[] ids) {
    return tokenizer.decode(Arrays.stream(ids).asLongStream().toArray(), true);
  }

  @Override
  public void close() {
    tokenizer.close();
  }
}
