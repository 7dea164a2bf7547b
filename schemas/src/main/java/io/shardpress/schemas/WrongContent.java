package io.shardpress.schemas;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;

/** What a file really is that is not what its name says, told by its first bytes. */
public final class WrongContent {
  private record Kind(String start, String what) {}

  private static final List<Kind> KINDS =
      List.of(
          new Kind(
              "version ",
              "a Git LFS pointer, not the file that it stands for; run git lfs pull in its folder"),
          new Kind(
              "<",
              "HTML or XML, as sites send in place of a file that they refuse; fetch it"
                  + " again with the hub's own client, logged in where the model wants that"),
          new Kind(
              "PK\u0003\u0004",
              "a ZIP archive, as PyTorch saves, under a name that is not its own; convert it with"
                  + " save_pretrained(NEW, safe_serialization=True)"),
          new Kind("GGUF", "a GGUF file under a name that is not its own; take the original model"),
          new Kind("\u001f\u008b", "compressed with gzip; unpack it"),
          new Kind("\u00ff\u00fe", "UTF-16 text; convert it: iconv -f UTF-16 -t UTF-8"),
          new Kind("\u00fe\u00ff", "UTF-16 text; convert it: iconv -f UTF-16 -t UTF-8"));

  private WrongContent() {}

  /**
   * What it is, with what to do; empty where the bytes tell nothing.
   *
   * @param start the file's first bytes, 8 are enough
   */
  public static Optional<String> of(byte[] start) {
    String text = new String(start, 0, Math.min(start.length, 8), StandardCharsets.ISO_8859_1);
    return KINDS.stream().filter(kind -> text.startsWith(kind.start)).map(Kind::what).findFirst();
  }
}
