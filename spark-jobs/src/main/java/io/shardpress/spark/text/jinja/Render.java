package io.shardpress.spark.text.jinja;

import java.util.ArrayDeque;
import java.util.Collection;
import java.util.Deque;

/**
 * One carrying out of a template: what it has printed, and how much it may still do. The limits are
 * counts, not times, so that a template ends the same everywhere.
 */
final class Render {
  /** Statements, turns of loops, calls, and 16 characters or 4 elements of what is made. */
  private static final long MOST_STEPS = 20_000_000;

  private static final int STEP_CHARACTERS = 16;
  private static final int MOST_CHARACTERS = 1 << 24;
  private static final int STEP_ELEMENTS = 4;

  /** Elements of the longest list. */
  static final int MOST_ELEMENTS = 1 << 20;

  private static final int DEEPEST = 200;

  private final Deque<StringBuilder> outputs = new ArrayDeque<>();
  private long steps = MOST_STEPS;
  private int depth;

  Render() {
    outputs.push(new StringBuilder());
  }

  /** Counts a step. */
  void step() {
    if (--steps < 0) {
      throw new JinjaException("the template takes more than " + MOST_STEPS + " steps");
    }
  }

  /** Looks at a text that is being made. */
  void check(long characters) {
    if (characters > MOST_CHARACTERS) {
      throw new JinjaException("the template makes a text of " + characters + " characters");
    }
  }

  /** Counts the making of a text, before it is made where that is possible. */
  void text(long characters) {
    check(characters);
    steps -= characters / STEP_CHARACTERS;
    step();
  }

  /** Counts a value that a call or a filter has given. */
  Object given(Object value) {
    if (value instanceof String text) {
      text(text.length());
    } else if (value instanceof Collection<?> list) {
      elements(list.size());
    }
    return value;
  }

  /** Counts the making of a list. */
  void elements(long count) {
    if (count > MOST_ELEMENTS) {
      throw new JinjaException("the template makes a list of " + count + " elements");
    }
    text(STEP_CHARACTERS / STEP_ELEMENTS * count);
  }

  String made(String text) {
    text(text.length());
    return text;
  }

  void print(String text) {
    StringBuilder output = outputs.peek();
    text(text.length());
    if ((long) output.length() + text.length() > MOST_CHARACTERS) {
      throw new JinjaException("the template prints more than " + MOST_CHARACTERS + " characters");
    }
    output.append(text);
  }

  /** What something prints, which the output then does not get. */
  String captured(Runnable printing) {
    outputs.push(new StringBuilder());
    try {
      printing.run();
      return outputs.peek().toString();
    } finally {
      outputs.pop();
    }
  }

  /** Goes into a macro or a loop in itself. */
  void enter() {
    if (++depth > DEEPEST) {
      throw new JinjaException("the template calls itself more than " + DEEPEST + " times");
    }
  }

  void leave() {
    depth--;
  }

  String output() {
    return outputs.peek().toString();
  }
}
