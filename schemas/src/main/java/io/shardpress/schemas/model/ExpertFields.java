package io.shardpress.schemas.model;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Mixtures of experts in config.json. Mixtral: num_local_experts of intermediate_size in every
 * block. Qwen: num_experts of moe_intermediate_size in every decoder_sparse_step-th block that is
 * not among mlp_only_layers.
 */
final class ExpertFields {
  /** Far more than any model has. */
  private static final int MOST_EXPERTS = 10_000;

  private final ConfigFields config;

  ExpertFields(ConfigFields config) {
    this.config = config;
  }

  /** What blocks have; empty of a dense family. */
  Optional<Experts> experts(Family family, int layers) {
    return switch (family) {
      case MIXTRAL ->
          Optional.of(
              checked(
                  new Experts(
                      count(8),
                      config.positive("num_experts_per_tok").orElse(2),
                      config.positive("intermediate_size").orElse(14336),
                      true,
                      0,
                      all(layers))));
      case QWEN2_MOE ->
          Optional.of(
              checked(
                  new Experts(
                      count(60),
                      config.positive("num_experts_per_tok").orElse(4),
                      config.positive("moe_intermediate_size").orElse(1408),
                      config.flag("norm_topk_prob", false),
                      config.positive("shared_expert_intermediate_size").orElse(5632),
                      sparse(layers))));
      case QWEN3_MOE ->
          Optional.of(
              checked(
                  new Experts(
                      count(128),
                      config.positive("num_experts_per_tok").orElse(8),
                      config.positive("moe_intermediate_size").orElse(768),
                      config.flag("norm_topk_prob", false),
                      0,
                      sparse(layers))));
      default -> Optional.empty();
    };
  }

  private int count(int otherwise) {
    return config
        .positive("num_local_experts")
        .or(() -> config.positive("num_experts"))
        .orElse(otherwise);
  }

  private Experts checked(Experts experts) {
    if (experts.count() > MOST_EXPERTS) {
      throw config.bad("num_experts", experts.count(), "at most " + MOST_EXPERTS);
    }
    if (experts.perToken() > experts.count()) {
      throw config.bad(
          "num_experts_per_tok", experts.perToken(), "at most " + experts.count() + " experts");
    }
    return experts;
  }

  private static List<Boolean> all(int layers) {
    return new ArrayList<>(java.util.Collections.nCopies(layers, true));
  }

  private List<Boolean> sparse(int layers) {
    int step = config.positive("decoder_sparse_step").orElse(1);
    List<Boolean> sparse = new ArrayList<>();
    for (int layer = 0; layer < layers; layer++) {
      sparse.add((layer + 1) % step == 0);
    }
    for (JsonNode dense : config.find("mlp_only_layers").map(this::list).orElse(List.of())) {
      if (!dense.canConvertToInt() || dense.asInt() < 0 || dense.asInt() >= layers) {
        throw config.bad("mlp_only_layers", dense, "numbers below num_hidden_layers = " + layers);
      }
      sparse.set(dense.asInt(), false);
    }
    return sparse;
  }

  private List<JsonNode> list(JsonNode node) {
    if (!node.isArray()) {
      throw config.bad("mlp_only_layers", node, "a list of numbers");
    }
    List<JsonNode> elements = new ArrayList<>();
    node.forEach(elements::add);
    return elements;
  }
}
