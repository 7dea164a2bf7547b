package io.shardpress.spark.datasource;

/** A pushed filter, answered as SQL answers: comparisons with null are unknown. */
interface TensorFilter {
  /** SQL's three truth values, ordered so that AND is the least and OR the greatest. */
  enum Answer {
    NO,
    UNKNOWN,
    YES;

    static Answer of(boolean yes) {
      return yes ? YES : NO;
    }

    Answer and(Answer other) {
      return compareTo(other) <= 0 ? this : other;
    }

    Answer or(Answer other) {
      return compareTo(other) >= 0 ? this : other;
    }

    Answer not() {
      return switch (this) {
        case NO -> YES;
        case UNKNOWN -> UNKNOWN;
        case YES -> NO;
      };
    }
  }

  Answer test(TensorFields fields);
}
