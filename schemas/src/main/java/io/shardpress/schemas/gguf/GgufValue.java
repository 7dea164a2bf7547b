package io.shardpress.schemas.gguf;

import java.util.List;

/** A value of GGUF's metadata; readers want exactly the type that a key has. */
public sealed interface GgufValue {
  /** From 0 to 2^16 − 1. */
  record U16(int value) implements GgufValue {}

  /** From 0 to 2^32 − 1: counts and ids. */
  record U32(long value) implements GgufValue {}

  /** A signed count. */
  record I32(int value) implements GgufValue {}

  /** Bases and epsilons. */
  record F32(float value) implements GgufValue {}

  /** A flag. */
  record Bool(boolean value) implements GgufValue {}

  /** UTF-8 text. */
  record Text(String value) implements GgufValue {}

  /** An array of text. */
  record Texts(List<String> values) implements GgufValue {
    public Texts {
      values = List.copyOf(values);
    }
  }

  /** An array of f32. */
  record Floats(List<Float> values) implements GgufValue {
    public Floats {
      values = List.copyOf(values);
    }
  }

  /** An array of i32. */
  record Ints(List<Integer> values) implements GgufValue {
    public Ints {
      values = List.copyOf(values);
    }
  }
}
