package io.shardpress.schemas.gguf;

import io.shardpress.schemas.model.BlockTraits;
import io.shardpress.schemas.model.Experts;
import io.shardpress.schemas.model.ModelConfig;
import io.shardpress.schemas.model.RopeScaling;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * What config.json may say that llama.cpp's code for an architecture has fixed otherwise: it would
 * load such a file, and compute another model.
 */
public final class GgufLimits {
  private static final double LOCAL_THETA = 10_000;
  private static final int GEMMA2_PATTERN = 2;
  private static final int GEMMA3_PATTERN = 6;

  /** Layers by which llama.cpp knows the models whose scores have a scale of their own. */
  private static final int GEMMA2_27B = 46;

  private static final int GEMMA3_27B = 62;

  private GgufLimits() {}

  /** The first thing that does not fit, with what would; empty where all fits. */
  public static Optional<String> refusal(ModelConfig config) {
    GgufArchitecture architecture = GgufArchitecture.of(config.modelType()).orElseThrow();
    List<String> reasons = new ArrayList<>();
    if (config.ropeScaling() != null && !stretches(architecture, config.ropeScaling())) {
      reasons.add(
          "its rope type is "
              + config.ropeScaling().type()
              + ", which llama.cpp does not read for "
              + config.modelType());
    }
    switch (architecture) {
      case QWEN2MOE -> {
        experts(config, false, reasons);
        if (!config.qkvBias()) {
          reasons.add("its q, k and v have no bias, which llama.cpp wants of qwen2_moe");
        }
        if (config.tieWordEmbeddings()) {
          reasons.add("its lm_head is the embedding, llama.cpp wants another for qwen2_moe");
        }
        plainHeads(config, reasons);
      }
      case QWEN3MOE -> experts(config, true, reasons);
      case PHI3 -> plainHeads(config, reasons);
      case GEMMA2 -> gemma(config, GEMMA2_PATTERN, config.layers() == GEMMA2_27B, reasons);
      case GEMMA3 -> {
        gemma(config, GEMMA3_PATTERN, config.layers() == GEMMA3_27B, reasons);
        if (config.localRopeTheta() != LOCAL_THETA) {
          reasons.add(
              "its rope_theta in sliding layers is %s, llama.cpp has %s"
                  .formatted(config.localRopeTheta(), LOCAL_THETA));
        }
      }
      case LLAMA, QWEN2, QWEN3 -> {}
    }
    return reasons.stream().findFirst();
  }

  private static boolean stretches(GgufArchitecture architecture, RopeScaling scaling) {
    return switch (scaling.type()) {
      case "llama3" -> architecture == GgufArchitecture.LLAMA;
      case "longrope" -> architecture == GgufArchitecture.PHI3;
      // Gemma 3's stretches its full layers alone, where llama.cpp's yarn would take all.
      case "yarn" ->
          architecture != GgufArchitecture.PHI3
              && architecture != GgufArchitecture.GEMMA3
              && scaling.truncated();
      case "linear", "dynamic" -> architecture != GgufArchitecture.PHI3;
      default -> false;
    };
  }

  private static void experts(ModelConfig config, boolean renormalised, List<String> reasons) {
    Experts experts = config.experts();
    int dense = experts.sparse().indexOf(false);
    if (dense >= 0) {
      reasons.add(
          String.format(
              Locale.ROOT,
              "its block %d is dense, llama.cpp wants experts in all blocks of %s",
              dense,
              config.modelType()));
    }
    if (experts.renormalised() != renormalised) {
      reasons.add(
          "its norm_topk_prob is %s, llama.cpp computes %s with %s"
              .formatted(experts.renormalised(), config.modelType(), renormalised));
    }
  }

  private static void plainHeads(ModelConfig config, List<String> reasons) {
    if ((long) config.headDim() * config.heads() != config.hiddenSize()) {
      reasons.add(
          String.format(
              Locale.ROOT,
              "its %d heads of %d are not as wide as its hidden_size %d, which llama.cpp wants of"
                  + " %s",
              config.heads(),
              config.headDim(),
              config.hiddenSize(),
              config.modelType()));
    }
  }

  private static void gemma(
      ModelConfig config, int pattern, boolean byHiddenSize, List<String> reasons) {
    for (int layer = 0; layer < config.layers(); layer++) {
      boolean slides = (layer + 1) % pattern != 0;
      if (slides != config.windows().get(layer) > 0) {
        reasons.add(
            String.format(
                Locale.ROOT,
                "its layer %d %s, llama.cpp has all layers of %s slide but every %s",
                layer,
                slides ? "does not slide" : "slides",
                config.modelType(),
                pattern == GEMMA2_PATTERN ? "second" : "sixth"));
        break;
      }
    }
    BlockTraits traits = config.traits();
    int scalar = byHiddenSize ? config.hiddenSize() / config.heads() : config.headDim();
    if (traits.queryScalar() != scalar) {
      reasons.add(
          String.format(
              Locale.ROOT,
              "its query_pre_attn_scalar is %s, llama.cpp has %d",
              traits.queryScalar(),
              scalar));
    }
    boolean capped = pattern == GEMMA2_PATTERN;
    if (traits.scoreCap() > 0 != capped || traits.logitCap() > 0 != capped) {
      reasons.add(
          "its attn_logit_softcapping is %s and its final_logit_softcapping %s, llama.cpp wants %s"
              .formatted(traits.scoreCap(), traits.logitCap(), capped ? "both" : "none"));
    }
    if (!config.tieWordEmbeddings()) {
      reasons.add("its lm_head is not the embedding, llama.cpp has no other for Gemma");
    }
  }
}
