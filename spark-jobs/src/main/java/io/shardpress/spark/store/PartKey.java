package io.shardpress.spark.store;

import java.io.Serializable;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/**
 * The name of a part: SHA-256 over all that it was made from. Two steps share a key if and only if
 * they would write the same bytes.
 *
 * @param hex 64 lower-case digits
 */
public record PartKey(String hex) implements Serializable {
  /** Counts up whenever a step's arithmetic or a part's layout changes. */
  public static final int FORMAT = 4;

  /** Starts a key for a kind of step, such as "statistics". */
  public static Builder of(String step) {
    return new Builder().add("format", FORMAT).add("step", step);
  }

  /** Gathers what a part is made from, in order, as name and value. */
  public static final class Builder {
    private final MessageDigest sha = sha256();

    /** Adds an ingredient; its text must be the same on every machine. */
    public Builder add(String name, Object value) {
      String text = value instanceof PartKey key ? key.hex() : String.valueOf(value);
      byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
      // The length keeps two different lists of ingredients from giving one text.
      sha.update((name + ' ' + bytes.length + '\n').getBytes(StandardCharsets.UTF_8));
      sha.update(bytes);
      sha.update((byte) '\n');
      return this;
    }

    public PartKey build() {
      return new PartKey(HexFormat.of().formatHex(sha.digest()));
    }
  }

  private static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JDK has SHA-256", e);
    }
  }
}
