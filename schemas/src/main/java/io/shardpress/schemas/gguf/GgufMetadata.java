package io.shardpress.schemas.gguf;

import io.shardpress.schemas.model.BlockTraits;
import io.shardpress.schemas.model.Experts;
import io.shardpress.schemas.model.ModelConfig;
import io.shardpress.schemas.model.RopeScaling;
import java.util.LinkedHashMap;
import java.util.Map;

/** The keys of a GGUF file that say what model it holds; the tokenizer's are in another class. */
public final class GgufMetadata {
  /** What llama.cpp takes without a key. */
  private static final double YARN_BETA_FAST = 32;

  private static final double YARN_BETA_SLOW = 1;

  private static final int QUANTIZATION_VERSION = 2;

  private GgufMetadata() {}

  /**
   * The keys of a model of a known architecture.
   *
   * @param name of the model
   * @param mostly the type of most of its weights
   */
  public static Map<String, GgufValue> of(String name, ModelConfig config, GgufType mostly) {
    String architecture = GgufNames.architecture(config).orElseThrow();
    Map<String, GgufValue> keys = new LinkedHashMap<>();
    keys.put("general.architecture", new GgufValue.Text(architecture));
    keys.put("general.type", new GgufValue.Text("model"));
    keys.put("general.name", new GgufValue.Text(name));
    keys.put("general.file_type", count(mostly.fileType()));
    keys.put("general.quantization_version", count(QUANTIZATION_VERSION));
    String prefix = architecture + ".";
    keys.put(prefix + "context_length", count(config.maxPositionEmbeddings()));
    keys.put(prefix + "embedding_length", count(config.hiddenSize()));
    keys.put(prefix + "block_count", count(config.layers()));
    keys.put(prefix + "feed_forward_length", count(config.intermediateSize()));
    keys.put(prefix + "attention.head_count", count(config.heads()));
    keys.put(prefix + "attention.head_count_kv", count(config.kvHeads()));
    keys.put(prefix + "attention.layer_norm_rms_epsilon", real(config.rmsNormEps()));
    if ((long) config.headDim() * config.heads() != config.hiddenSize()) {
      keys.put(prefix + "attention.key_length", count(config.headDim()));
      keys.put(prefix + "attention.value_length", count(config.headDim()));
    }
    keys.put(prefix + "rope.freq_base", real(config.ropeTheta()));
    keys.put(prefix + "rope.dimension_count", count(config.rotaryDim()));
    keys.put(prefix + "vocab_size", count(config.vocabSize()));
    experts(config.experts(), prefix, keys);
    switch (GgufArchitecture.of(config.modelType()).orElseThrow()) {
      case PHI3 -> phi3(config, prefix, keys);
      case GEMMA2, GEMMA3 -> gemma(config, prefix, keys);
      default -> {}
    }
    stretched(config, prefix, keys);
    return keys;
  }

  private static void experts(Experts experts, String prefix, Map<String, GgufValue> keys) {
    if (experts == null) {
      return;
    }
    keys.put(prefix + "expert_count", count(experts.count()));
    keys.put(prefix + "expert_used_count", count(experts.perToken()));
    keys.put(prefix + "expert_feed_forward_length", count(experts.intermediateSize()));
    if (experts.shared()) {
      keys.put(
          prefix + "expert_shared_feed_forward_length", count(experts.sharedIntermediateSize()));
    }
  }

  private static void phi3(ModelConfig config, String prefix, Map<String, GgufValue> keys) {
    // Without the key llama.cpp takes a window by the number of layers; 0 is none.
    int window = config.slidingWindow() == null ? 0 : config.slidingWindow();
    keys.put(prefix + "attention.sliding_window", count(window));
    RopeScaling scaling = config.ropeScaling();
    if (scaling != null) {
      keys.put(
          prefix + "rope.scaling.original_context_length", count(scaling.originalMaxPositions()));
      keys.put(prefix + "rope.scaling.attn_factor", real(scaling.magnitude()));
    }
  }

  private static void gemma(ModelConfig config, String prefix, Map<String, GgufValue> keys) {
    keys.put(prefix + "attention.sliding_window", count(config.slidingWindow()));
    BlockTraits traits = config.traits();
    if (traits.scoreCap() > 0) {
      keys.put(prefix + "attn_logit_softcapping", real(traits.scoreCap()));
      keys.put(prefix + "final_logit_softcapping", real(traits.logitCap()));
    }
  }

  /**
   * Linear and yarn; what llama3 and longrope divide by stands in tensors, and dynamic has no key:
   * llama.cpp does not know it.
   */
  private static void stretched(ModelConfig config, String prefix, Map<String, GgufValue> keys) {
    RopeScaling scaling = config.ropeScaling();
    boolean yarn = scaling != null && scaling.type().equals("yarn");
    boolean linear = scaling != null && scaling.type().equals("linear");
    if (!yarn && (!linear || GgufNames.hasRopeFrequencies(config))) {
      return;
    }
    keys.put(prefix + "rope.scaling.type", new GgufValue.Text(scaling.type()));
    keys.put(prefix + "rope.scaling.factor", real(scaling.factor()));
    if (!yarn) {
      return;
    }
    keys.put(
        prefix + "rope.scaling.original_context_length", count(scaling.originalMaxPositions()));
    if (scaling.highFreqFactor() != YARN_BETA_FAST) {
      keys.put(prefix + "rope.scaling.yarn_beta_fast", real(scaling.highFreqFactor()));
    }
    if (scaling.lowFreqFactor() != YARN_BETA_SLOW) {
      keys.put(prefix + "rope.scaling.yarn_beta_slow", real(scaling.lowFreqFactor()));
    }
    // llama.cpp multiplies by 1 + 0.1·ln factor itself.
    double own = scaling.magnitude() / (1 + 0.1 * StrictMath.log(scaling.factor()));
    if (Math.abs(own - 1) > 1e-9) {
      keys.put(prefix + "rope.scaling.attn_factor", real(own));
    }
  }

  /**
   * The keys of a file among several, which llama.cpp opens by the first of them.
   *
   * @param number from 0 on
   * @param tensors of all files
   */
  public static Map<String, GgufValue> split(int number, int files, int tensors) {
    Map<String, GgufValue> keys = new LinkedHashMap<>();
    keys.put("split.no", new GgufValue.U16(number));
    keys.put("split.count", new GgufValue.U16(files));
    keys.put("split.tensors.count", new GgufValue.I32(tensors));
    return keys;
  }

  private static GgufValue count(long value) {
    return new GgufValue.U32(value);
  }

  private static GgufValue real(double value) {
    return new GgufValue.F32((float) value);
  }
}
