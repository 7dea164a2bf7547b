package io.shardpress.spark.engine;

/**
 * The kind of a step and the version of its arithmetic; both are in the names of its parts.
 *
 * @param name such as "gptq.solve"; no two steps share it
 * @param version from 1, raised whenever the same components would give other bytes
 */
public record StepKind(String name, int version) {
  public StepKind {
    if (name.isBlank() || version < 1) {
      throw new IllegalArgumentException(
          "a kind of step has a name and a version from 1 on, not '" + name + "' and " + version);
    }
  }
}
