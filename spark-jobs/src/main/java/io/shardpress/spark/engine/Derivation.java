package io.shardpress.spark.engine;

import io.shardpress.spark.store.PartKey;
import java.io.Serializable;

/**
 * A record whose components are all that a part's bytes depend on. Its part is named by {@link
 * CanonicalForm} from the components: nobody lists them by hand, so none can be forgotten. What
 * says only where something lies is marked {@link io.shardpress.spark.io.Location}.
 *
 * <p>A component's value does not change once the record is made. A record that copies its
 * collections into unmodifiable ones is named once, others each time that they are asked.
 */
public interface Derivation extends Serializable {
  /** The kind of step, the same for all instances of a class. */
  StepKind kind();

  /**
   * The part's name.
   *
   * @throws IllegalArgumentException where this is no record, or a component has no canonical form;
   *     names the component
   */
  default PartKey part() {
    return CanonicalForm.part(this);
  }

  /**
   * The name of one of several parts.
   *
   * @param output such as "state", one for each part
   */
  default PartKey part(String output) {
    return CanonicalForm.part(part(), output);
  }
}
