package io.shardpress.spark.text;

import io.shardpress.schemas.CheckpointException;
import io.shardpress.spark.io.StorageFault;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import java.util.stream.Collectors;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;

/**
 * Text as a model is calibrated and measured on it: all documents' tokens one after the other, cut
 * into windows of T, the first N of them; the tail that fills no window is dropped.
 */
public final class Windows {
  /** Fewer say nothing about a model. */
  public static final int FEWEST = 8;

  private final String source;
  private final int[][] ids;
  private final int length;
  private final int wanted;
  private long skipped;

  private Windows(String source, int[][] ids, int length, int wanted) {
    this.source = source;
    this.ids = ids;
    this.length = length;
    this.wanted = wanted;
  }

  /**
   * Reads a text without chats until it has given {@code count} windows of {@code length} tokens.
   *
   * @param field the key or column that holds the text, see {@link Documents#DEFAULT_FIELD}
   * @param vocabularySize rows of the model's embedding
   * @throws CheckpointException where the text is missing, broken, empty or shorter than {@link
   *     #FEWEST} windows, or the tokenizer gives ids that the model has no row for
   */
  public static Windows read(
      Path text,
      String field,
      TokenizerFile tokenizer,
      int vocabularySize,
      int count,
      int length,
      Configuration conf) {
    return read(text, field, ChatRows.NONE, tokenizer, vocabularySize, count, length, conf);
  }

  /**
   * Reads a text until it has given {@code count} windows of {@code length} tokens.
   *
   * @param chats makes text of rows that are conversations
   * @throws CheckpointException as above, and where a conversation cannot become text
   */
  public static Windows read(
      Path text,
      String field,
      ChatRows chats,
      TokenizerFile tokenizer,
      int vocabularySize,
      int count,
      int length,
      Configuration conf) {
    try (Documents documents = Documents.open(text, field, chats, conf)) {
      Windows windows =
          cut(
              documents,
              documents::templated,
              documents.source(),
              tokenizer,
              vocabularySize,
              count,
              length);
      windows.skipped = documents.skipped();
      return windows;
    } catch (IOException e) {
      throw new CheckpointException(
          "text " + text + ": not readable: " + StorageFault.reason(e), e);
    }
  }

  static Windows cut(
      Iterator<String> documents,
      String source,
      TokenizerFile tokenizer,
      int vocabularySize,
      int count,
      int length) {
    return cut(documents, () -> false, source, tokenizer, vocabularySize, count, length);
  }

  private static Windows cut(
      Iterator<String> documents,
      BooleanSupplier templated,
      String source,
      TokenizerFile tokenizer,
      int vocabularySize,
      int count,
      int length) {
    int[][] windows = new int[count][];
    int[] window = new int[length];
    int full = 0;
    int filled = 0;
    while (full < count && documents.hasNext()) {
      String document = documents.next();
      int[] tokens =
          templated.getAsBoolean()
              ? tokenizer.encodeTemplated(document)
              : tokenizer.encode(document);
      checkIds(tokens, tokenizer, vocabularySize);
      int from = 0;
      while (from < tokens.length && full < count) {
        int taken = Math.min(length - filled, tokens.length - from);
        System.arraycopy(tokens, from, window, filled, taken);
        from += taken;
        filled += taken;
        if (filled == length) {
          windows[full++] = window;
          window = new int[length];
          filled = 0;
        }
      }
    }
    long tokens = (long) full * length + filled;
    if (tokens == 0) {
      throw new CheckpointException("text " + source + " is empty");
    }
    if (full < Math.min(FEWEST, count)) {
      throw new CheckpointException(
          String.format(
              Locale.ROOT,
              "text %s has %d tokens, %d windows of %d; want at least %d windows: give more text or"
                  + " a smaller --sequence-length",
              source,
              tokens,
              full,
              length,
              Math.min(FEWEST, count)));
    }
    return new Windows(source, Arrays.copyOf(windows, full), length, count);
  }

  private static void checkIds(int[] tokens, TokenizerFile tokenizer, int vocabularySize) {
    for (int id : tokens) {
      if (id >= vocabularySize) {
        throw new CheckpointException(
            String.format(
                Locale.ROOT,
                "%s gives token %d, but the model's vocabulary has %d tokens and the tokenizer's"
                    + " %d; take the tokenizer that the model was trained with",
                tokenizer.source(),
                id,
                vocabularySize,
                tokenizer.size()));
      }
    }
  }

  /**
   * Several texts as one, one behind the other.
   *
   * @param texts at least one, all of windows of the same length
   */
  public static Windows joined(List<Windows> texts) {
    String source = texts.stream().map(text -> text.source).collect(Collectors.joining(", "));
    int[][] ids = texts.stream().flatMap(text -> Arrays.stream(text.ids)).toArray(int[][]::new);
    int wanted = texts.stream().mapToInt(text -> text.wanted).sum();
    Windows joined = new Windows(source, ids, texts.get(0).length, wanted);
    joined.skipped = texts.stream().mapToLong(text -> text.skipped).sum();
    return joined;
  }

  /** Windows that there are, at least {@link #FEWEST} unless fewer were asked for. */
  public int count() {
    return ids.length;
  }

  /** Tokens of each window. */
  public int length() {
    return length;
  }

  /** A window's tokens; not a copy. */
  public int[] ids(int window) {
    return ids[window];
  }

  /** What to tell the user: the text was shorter than what was asked for. */
  public Optional<String> warning() {
    return ids.length == wanted
        ? Optional.empty()
        : Optional.of(
            String.format(
                Locale.ROOT,
                "text %s has %d windows of %d tokens, fewer than the %d asked for; all are used",
                source,
                ids.length,
                length,
                wanted));
  }

  /** All that the user should be told: {@link #warning}, and rows that held no text. */
  public List<String> warnings() {
    List<String> warnings = new ArrayList<>(warning().stream().toList());
    if (skipped > 0) {
      warnings.add(
          String.format(
              Locale.ROOT,
              "text %s: skipped %d %s without text (null, empty or spaces)",
              source,
              skipped,
              skipped == 1 ? "row" : "rows"));
    }
    return warnings;
  }

  /**
   * SHA-256 over count, length and all tokens in order as little-endian 32-bit integers, lower-case
   * hex: equal for equal windows, wherever their text came from.
   */
  public String fingerprint() {
    MessageDigest sha;
    try {
      sha = MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JDK has SHA-256", e);
    }
    sha.update(littleEndian(ids.length, length));
    for (int[] window : ids) {
      sha.update(littleEndian(window));
    }
    return HexFormat.of().formatHex(sha.digest());
  }

  private static byte[] littleEndian(int... values) {
    ByteBuffer bytes =
        ByteBuffer.allocate(values.length * Integer.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    bytes.asIntBuffer().put(values);
    return bytes.array();
  }
}
