package io.shardpress.spark.output;

import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;

/** Counts and hashes what passes through. */
final class HashingStream extends FilterOutputStream {
  /** Small enough for a core's second cache, so that what has been written is hashed from there. */
  private static final int CHUNK_BYTES = 128 << 10;

  private final MessageDigest sha;
  private long bytes;

  HashingStream(OutputStream out) {
    super(out);
    try {
      sha = MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JDK has SHA-256", e);
    }
  }

  @Override
  public void write(int b) throws IOException {
    write(new byte[] {(byte) b}, 0, 1);
  }

  @Override
  public void write(byte[] data, int offset, int length) throws IOException {
    for (int done = 0; done < length; done += CHUNK_BYTES) {
      int count = Math.min(CHUNK_BYTES, length - done);
      out.write(data, offset + done, count);
      sha.update(data, offset + done, count);
    }
    bytes += length;
  }

  long bytes() {
    return bytes;
  }

  /** The hash of all that has passed; nothing may follow. */
  byte[] sha256() {
    return sha.digest();
  }
}
