package io.shardpress.spark.publish;

import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;

/** Counts and hashes what passes through. */
final class HashingStream extends FilterOutputStream {
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
    out.write(data, offset, length);
    sha.update(data, offset, length);
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
