package io.shardpress.schemas.text;

import io.shardpress.schemas.CheckpointException;
import io.shardpress.schemas.json.ByteOrderMark;
import java.io.BufferedReader;
import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.StringWriter;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;

/**
 * The UTF-8 text of a file: CR LF, CR and LF each end a line. A byte order mark is skipped at the
 * start, and at the start of any line, where files that have one each were joined. Malformed bytes
 * are an error, not question marks: these would become tokens.
 */
public final class TextLines implements Closeable {
  private final String source;
  private final BufferedReader reader;
  private long number;

  /**
   * @param source the file's name, for messages
   * @param in its bytes, unpacked; closed with this
   */
  public TextLines(String source, InputStream in) {
    this.source = source;
    this.reader =
        new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8.newDecoder()));
  }

  /**
   * The next line without its end, or null behind the last one.
   *
   * @throws CheckpointException where bytes are no UTF-8
   */
  public String next() throws IOException {
    number++;
    try {
      String line = reader.readLine();
      return line == null ? null : ByteOrderMark.strip(line);
    } catch (CharacterCodingException e) {
      throw notUtf8(e);
    }
  }

  /** The number of the line that {@link #next} gave last, from 1 on. */
  public long number() {
    return number;
  }

  /** All of it, with LF at the end of each line. */
  public String whole() throws IOException {
    StringWriter text = new StringWriter();
    try {
      reader.transferTo(text);
    } catch (CharacterCodingException e) {
      throw notUtf8(e);
    }
    return ByteOrderMark.strip(text.toString()).replace("\r\n", "\n").replace('\r', '\n');
  }

  private CheckpointException notUtf8(IOException cause) {
    return new CheckpointException(
        "text "
            + source
            + " is not UTF-8; convert it: iconv -f ENCODING -t UTF-8, where UTF-16 and"
            + " windows-1252 are encodings of Windows",
        cause);
  }

  @Override
  public void close() throws IOException {
    reader.close();
  }
}
