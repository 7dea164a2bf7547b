package io.shardpress.schemas.recipe;

import io.shardpress.schemas.UsageException;
import java.util.Locale;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;

/**
 * A regular expression over names, in Python's spelling, that ends: one that goes back over a name
 * again and again, as {@code (a+)+$} does, is refused after a number of steps, not of seconds.
 */
public final class NamePattern {
  /** Characters that a match may look at; sound patterns look at a few for each of the name's. */
  private static final int MOST_STEPS = 2_000_000;

  /** Characters of a pattern that a message shows. */
  private static final int SHOWN = 200;

  private final String what;
  private final Pattern pattern;

  /**
   * Compiles the expression.
   *
   * @param what the noun and text for messages: {@code target 're:…'}
   * @throws UsageException where it is not a regular expression
   */
  public NamePattern(String what, String regex) {
    this.what = what.length() > SHOWN ? what.substring(0, SHOWN) + "…'" : what;
    try {
      // Python writes named groups with a P that Java does not know.
      this.pattern = Pattern.compile(regex.replace("(?P<", "(?<"));
    } catch (PatternSyntaxException e) {
      throw new UsageException(
          String.format(
              Locale.ROOT,
              "%s is no regular expression: %s at %d",
              this.what,
              e.getDescription(),
              e.getIndex()),
          e);
    }
  }

  /**
   * Whether it matches from the name's start on (Python's re.match).
   *
   * @throws UsageException where that would take too long
   */
  public boolean matchesStart(String name) {
    try {
      return pattern.matcher(new Counted(name, new int[1])).lookingAt();
    } catch (TooLong | StackOverflowError e) {
      throw new UsageException(
          what + " takes too long on the name " + name + "; write it in a simpler way", e);
    }
  }

  private static final class TooLong extends RuntimeException {
    private static final long serialVersionUID = 1L;

    TooLong() {
      super("too many steps", null, false, false);
    }
  }

  /** A name that counts how often it is looked at. */
  private record Counted(String name, int[] steps) implements CharSequence {
    @Override
    public int length() {
      return name.length();
    }

    @Override
    public char charAt(int index) {
      if (++steps[0] > MOST_STEPS) {
        throw new TooLong();
      }
      return name.charAt(index);
    }

    @Override
    public CharSequence subSequence(int start, int end) {
      return new Counted(name.substring(start, end), steps);
    }

    @Override
    public String toString() {
      return name;
    }
  }
}
