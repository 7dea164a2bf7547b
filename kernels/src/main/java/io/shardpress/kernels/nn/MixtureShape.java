package io.shardpress.kernels.nn;

import io.shardpress.schemas.model.Experts;
import io.shardpress.schemas.model.LinearRole;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.List;

/**
 * The sizes of a block's mixture of experts.
 *
 * @param experts that the router chooses from
 * @param perToken how many it chooses
 * @param width inside each
 * @param renormalised whether the chosen ones' weights are made to add up to 1
 * @param sharedWidth inside one more that all tokens go through; 0 for none
 */
public record MixtureShape(
    int experts, int perToken, int width, boolean renormalised, int sharedWidth)
    implements Serializable {
  static MixtureShape of(Experts experts) {
    return new MixtureShape(
        experts.count(),
        experts.perToken(),
        experts.intermediateSize(),
        experts.renormalised(),
        experts.sharedIntermediateSize());
  }

  /** Whether there is one that all tokens go through. */
  public boolean shared() {
    return sharedWidth > 0;
  }

  /** The widest inside of all. */
  public int widest() {
    return Math.max(width, sharedWidth);
  }

  /** Width inside an expert by its number, which may be {@link LinearRole#SHARED}. */
  public int width(int expert) {
    return expert == LinearRole.SHARED ? sharedWidth : width;
  }

  /** Numbers of all experts, the shared one last. */
  public List<Integer> numbers() {
    List<Integer> numbers = new ArrayList<>();
    for (int expert = 0; expert < experts; expert++) {
      numbers.add(expert);
    }
    if (shared()) {
      numbers.add(LinearRole.SHARED);
    }
    return numbers;
  }

  /** The linears of a block that has it, those of attention first. */
  List<LinearRole> linears() {
    List<LinearRole> linears =
        new ArrayList<>(List.of(LinearRole.Q, LinearRole.K, LinearRole.V, LinearRole.O));
    numbers().forEach(expert -> linears.addAll(LinearRole.ofExpert(expert)));
    return linears;
  }
}
