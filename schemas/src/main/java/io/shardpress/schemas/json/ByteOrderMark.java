package io.shardpress.schemas.json;

/** The mark U+FEFF that editors of some systems write before UTF-8 text; it is no part of it. */
public final class ByteOrderMark {
  private static final char MARK = '\ufeff';

  private ByteOrderMark() {}

  /** How many bytes of the text's UTF-8 are the mark: 3 or 0. */
  public static int length(byte[] utf8) {
    boolean marked =
        utf8.length >= 3
            && utf8[0] == (byte) 0xef
            && utf8[1] == (byte) 0xbb
            && utf8[2] == (byte) 0xbf;
    return marked ? 3 : 0;
  }

  /** The text behind the mark; all of it where there is none. */
  public static String strip(String text) {
    return !text.isEmpty() && text.charAt(0) == MARK ? text.substring(1) : text;
  }
}
