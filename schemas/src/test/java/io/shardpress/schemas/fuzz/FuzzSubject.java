package io.shardpress.schemas.fuzz;

import java.util.Random;

/**
 * What is fuzzed.
 *
 * @param <I> a damaged input
 * @param <T> what becomes of a good one
 */
public interface FuzzSubject<I, T> {
  /** An input; all of its randomness is the argument's. */
  I make(Random random);

  /** Its length in bytes. */
  long bytes(I input);

  /** What {@link #read} may allocate for a byte of input, all that is thrown away counted. */
  default long allocatedPerByte() {
    return 100;
  }

  /** The input for a person, to repeat a case by hand. */
  String show(I input);

  /** The code under test, and nothing else: memory and time are counted here. */
  T read(I input);

  /** Whether this is how bad input is to be refused. */
  boolean isRefusal(Throwable thrown);

  /** Holds what was read against another reading. */
  void accepted(I input, T result);

  /** Holds a refusal against another reading. */
  default void refused(I input, Throwable refusal) {}
}
