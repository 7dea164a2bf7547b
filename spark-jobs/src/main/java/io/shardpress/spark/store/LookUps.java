package io.shardpress.spark.store;

import io.shardpress.spark.io.SideBySide;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;

/** Asks a store about many parts side by side. */
final class LookUps {
  private LookUps() {}

  /** An answer, or why there is none. */
  private record Answer<A>(A value, List<PartFault> faults) {}

  /**
   * Asks about each part.
   *
   * @return the answers in the order of the parts
   * @throws PartException with all parts that are bad
   */
  static <A> List<A> each(List<PartKey> parts, Function<PartKey, A> question) {
    List<A> values = new ArrayList<>();
    List<PartFault> faults = new ArrayList<>();
    for (Answer<A> answer : SideBySide.map(parts, part -> ask(part, question))) {
      values.add(answer.value());
      faults.addAll(answer.faults());
    }
    if (!faults.isEmpty()) {
      throw new PartException(faults);
    }
    return values;
  }

  private static <A> Answer<A> ask(PartKey part, Function<PartKey, A> question) {
    try {
      return new Answer<>(question.apply(part), List.of());
    } catch (PartException e) {
      return new Answer<>(null, e.faults());
    }
  }
}
