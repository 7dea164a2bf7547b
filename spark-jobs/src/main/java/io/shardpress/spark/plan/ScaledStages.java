package io.shardpress.spark.plan;

import io.shardpress.kernels.nn.Stage;
import io.shardpress.schemas.CheckpointException;
import io.shardpress.schemas.model.DecoderNames;
import io.shardpress.schemas.model.LinearRole;
import io.shardpress.schemas.model.ModelConfig;
import io.shardpress.schemas.recipe.LayerMapping;
import io.shardpress.schemas.recipe.Modifier;
import io.shardpress.schemas.recipe.ModifierKind;
import io.shardpress.schemas.recipe.TargetMatcher;
import java.util.ArrayList;
import java.util.Collection;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/**
 * Of which stages of a block a modifier scales the inputs: by its {@code mappings}, or without such
 * all that it knows. A pair names what makes a stage's inputs (a norm for q, k, v and for gate, up;
 * v for o; up for down) and the linears that read them, all of them: what were left out would read
 * inputs divided by s.
 */
public final class ScaledStages {
  private static final String WEIGHT = ".weight";

  private final String source;
  private final ModelConfig config;
  private final DecoderNames names;

  /**
   * @param source the model's URI, for messages
   * @param tensors names of all its tensors
   */
  public ScaledStages(String source, ModelConfig config, Collection<String> tensors) {
    this.source = source;
    this.config = config;
    this.names = DecoderNames.of(tensors, config);
  }

  /**
   * The stages of a block that the modifier is to scale, of those that the block can fold.
   *
   * @throws CheckpointException for a pair that no block can fold
   */
  public Set<Stage> of(Modifier modifier, int block) {
    Set<Stage> stages = EnumSet.noneOf(Stage.class);
    if (modifier.mappings().isEmpty()) {
      stages.addAll(List.of(Stage.QKV, Stage.GATE_UP));
      if (modifier.kind() != ModifierKind.SMOOTH_QUANT) {
        stages.addAll(List.of(Stage.O, Stage.DOWN));
      }
    }
    for (LayerMapping mapping : modifier.mappings()) {
      stages.addAll(named(mapping, block));
    }
    stages.removeIf(stage -> !folds(stage, block));
    return stages;
  }

  /**
   * Looks at the modifier's pairs in all blocks.
   *
   * @return what of them is left out, for people
   * @throws CheckpointException for a pair that no block can fold
   */
  List<String> check(Modifier modifier) {
    Set<String> leftOut = new LinkedHashSet<>();
    for (LayerMapping mapping : modifier.mappings()) {
      boolean found = false;
      for (int block = 0; block < config.layers(); block++) {
        for (Stage stage : named(mapping, block)) {
          found = true;
          if (!folds(stage, block)) {
            leftOut.add(unfolded(modifier, mapping, stage));
          }
        }
      }
      if (!found) {
        throw new CheckpointException(
            "%s: %s.mappings: %s means no norm, v_proj or up_proj of this model, such as %s"
                .formatted(
                    source,
                    modifier.kind().modifier(),
                    mapping.smooth(),
                    module(names.inputNorm(0))));
      }
    }
    return List.copyOf(leftOut);
  }

  /** By the block's shape, there is nothing that could be divided. */
  private boolean folds(Stage stage, int block) {
    if (stage == Stage.DOWN && config.sparse(block)) {
      return false;
    }
    return stage != Stage.O || config.heads() == config.kvHeads();
  }

  private String unfolded(Modifier modifier, LayerMapping mapping, Stage stage) {
    return String.format(
        Locale.ROOT,
        "%s.mappings: %s is left out: %s",
        modifier.kind().modifier(),
        mapping.smooth(),
        stage == Stage.O
            ? config.heads() + " heads share " + config.kvHeads() + " of v_proj's"
            : "what experts' down_proj read is not scaled");
  }

  /** The stages of a block whose inputs a pair means. */
  private Set<Stage> named(LayerMapping mapping, int block) {
    TargetMatcher smooth = new TargetMatcher(List.of(mapping.smooth()));
    TargetMatcher balance = new TargetMatcher(mapping.balance());
    Set<Stage> stages = EnumSet.noneOf(Stage.class);
    sources(block)
        .forEach(
            (stage, modules) -> {
              if (modules.stream().anyMatch(module -> smooth.matches(module, ""))) {
                stages.add(stage);
              }
            });
    for (Stage stage : stages) {
      List<String> missing = new ArrayList<>();
      for (LinearRole role : config.linears(block)) {
        String module = names.module(block, role);
        boolean reads = Stage.of(role) == stage;
        if (reads && !balance.matches(module, "")) {
          missing.add(module);
        } else if (!reads && stages.size() == 1 && balance.matches(module, "")) {
          throw bad(mapping, "balance layer " + module + " does not read what it makes");
        }
      }
      if (!missing.isEmpty()) {
        throw bad(
            mapping,
            missing.get(0)
                + (missing.size() > 1 ? " and " + (missing.size() - 1) + " more read" : " reads")
                + " what it makes, too, and no balance layer means "
                + (missing.size() > 1 ? "them" : "it"));
      }
    }
    return stages;
  }

  private CheckpointException bad(LayerMapping mapping, String what) {
    return new CheckpointException(
        "%s: mappings with %s: %s; leave mappings out to take the model's own"
            .formatted(source, mapping.smooth(), what));
  }

  /** What makes the inputs of a block's stages. */
  private Map<Stage, List<String>> sources(int block) {
    Map<Stage, List<String>> sources = new EnumMap<>(Stage.class);
    sources.put(Stage.QKV, List.of(module(names.inputNorm(block))));
    sources.put(Stage.GATE_UP, List.of(module(names.postNorm(block))));
    sources.put(Stage.O, new ArrayList<>());
    sources.put(Stage.DOWN, new ArrayList<>());
    for (LinearRole role : config.linears(block)) {
      switch (role.kind()) {
        case V, QKV -> sources.get(Stage.O).add(names.module(block, role));
        case UP, GATE_UP -> sources.get(Stage.DOWN).add(names.module(block, role));
        default -> {}
      }
    }
    return sources;
  }

  private static String module(String tensor) {
    return tensor.substring(0, tensor.length() - WEIGHT.length());
  }
}
