package io.shardpress.spark.plan;

import io.shardpress.schemas.model.DecoderNames;
import io.shardpress.schemas.model.LinearRole;
import io.shardpress.schemas.model.ModelConfig;
import io.shardpress.schemas.model.TensorPlace;
import io.shardpress.spark.io.TensorRef;
import java.util.Collection;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * Which tensors are weights of linears. Of a known family these are the blocks' linears and
 * lm_head; of any other, two-dimensional {@code *.weight} tensors, except those whose names or
 * sizes tell that they are embeddings, norms, routers or heads.
 */
final class Targets {
  static final String WEIGHT = ".weight";

  /** The class name that recipes call a linear by. */
  static final String LINEAR = "Linear";

  private static final Pattern NOT_LINEAR =
      Pattern.compile("embed|wte|wpe|lm_head|norm|router|gate\\.weight");

  /** Names that heads and tables have outside of blocks. */
  private static final Pattern OUTER =
      Pattern.compile(
          "(?:^|\\.)(output|output_layer|head|score|classifier|cls|wte|wpe|word_embeddings)\\.weight$");

  private static final int FEWEST_SIDE = 128;

  private final Set<String> linears = new HashSet<>();
  private final boolean known;
  private final int vocabulary;

  Targets(ModelConfig config, Collection<String> tensors) {
    known = config.knownFamily() && !config.quantized();
    vocabulary = config.vocabSize();
    if (known) {
      DecoderNames names = DecoderNames.of(tensors, config);
      for (int block = 0; block < config.layers(); block++) {
        for (LinearRole role : config.linears(block)) {
          linears.add(names.linear(block, role));
        }
      }
      linears.add(names.lmHead());
    }
  }

  /** The module whose weight this is, if it could be quantized when named. */
  static Optional<String> module(TensorRef tensor) {
    return tensor.tensor().endsWith(WEIGHT) && tensor.shape().size() == 2
        ? Optional.of(tensor.tensor().substring(0, tensor.tensor().length() - WEIGHT.length()))
        : Optional.empty();
  }

  /** Whether it is a head or a table of embeddings, by its name or by as many rows as tokens. */
  private boolean outer(TensorRef tensor) {
    return TensorPlace.of(tensor.tensor()).layer().isEmpty()
        && (OUTER.matcher(tensor.tensor()).find()
            || (vocabulary > 0 && tensor.rows() == vocabulary));
  }

  /** Linear, or the empty name, which only a target that names the module matches. */
  String className(TensorRef tensor) {
    if (known) {
      return linears.contains(tensor.tensor()) ? LINEAR : "";
    }
    boolean large = tensor.shape().stream().allMatch(side -> side >= FEWEST_SIDE);
    return large && !NOT_LINEAR.matcher(tensor.tensor()).find() && !outer(tensor) ? LINEAR : "";
  }
}
