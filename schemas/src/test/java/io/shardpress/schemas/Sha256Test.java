package io.shardpress.schemas;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import org.junit.jupiter.api.Test;

class Sha256Test {
  /** FIPS 180-4's examples, and what sha256sum prints for two letters outside ASCII. */
  @Test
  void theStandardsExamples() {
    assertThat(Sha256.hex(new byte[0]))
        .isEqualTo("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    assertThat(Sha256.hex("abc"))
        .isEqualTo("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assertThat(Sha256.hex("\u00e9\u00df"))
        .isEqualTo("7a7e9b74b61dacaa9a9cb332e17fd6eee0b5a1b2da4c6ff3467ef7df5457d41e");
  }

  @Test
  void aDigestStartsAnewOnceItIsRead() {
    MessageDigest digest = Sha256.digest();
    digest.update("a".getBytes(StandardCharsets.US_ASCII));
    digest.update("bc".getBytes(StandardCharsets.US_ASCII));
    assertThat(Sha256.hex(digest))
        .isEqualTo("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assertThat(Sha256.hex(digest))
        .isEqualTo("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  }
}
