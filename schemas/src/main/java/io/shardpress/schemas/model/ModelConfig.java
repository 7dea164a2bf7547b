package io.shardpress.schemas.model;

import io.shardpress.schemas.CheckpointException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * What config.json says of a decoder-only model, in one spelling. Where the model is of a family
 * that has no block here, numbers that its file does not have are 0.
 *
 * @param modelType model_type, such as llama; of text_config where one is nested
 * @param architecture the first of architectures, or empty
 * @param hiddenSize width of the residual stream
 * @param intermediateSize width inside the MLP
 * @param layers number of blocks
 * @param heads query heads
 * @param kvHeads key and value heads; divides heads
 * @param headDim width of a head
 * @param vocabSize rows of the embedding
 * @param maxPositionEmbeddings positions the model was made for
 * @param rmsNormEps added to the mean square
 * @param ropeTheta base of the rotary frequencies
 * @param ropeScaling null where frequencies are not scaled
 * @param slidingWindow positions that a query sees in layers that slide, itself included; null
 *     where none does
 * @param qkvBias whether q, k and v have a bias
 * @param oBias whether o has a bias
 * @param mlpBias whether gate, up and down have a bias
 * @param qkNorm whether each head of q and k is normalised before the rotation (Qwen3)
 * @param tieWordEmbeddings whether lm_head is the embedding
 * @param dtype bfloat16, float16 or float32 as the file says; float32 if it does not
 * @param hiddenAct activation of the gate
 * @param quantized whether the file has a quantization_config
 * @param windows positions that a query sees in each layer, 0 for all
 * @param localRopeTheta base of the rotary frequencies, which are not scaled, in layers that slide;
 *     0 where they are as in the others
 * @param rotaryDim elements at the start of a head that are rotated, headDim where all are
 * @param traits how blocks differ from Llama's; null where the family has no block here
 * @param experts null where all blocks are dense
 * @param missing what in the file has no block here, each in a few words; empty if all has
 */
public record ModelConfig(
    String modelType,
    String architecture,
    int hiddenSize,
    int intermediateSize,
    int layers,
    int heads,
    int kvHeads,
    int headDim,
    int vocabSize,
    int maxPositionEmbeddings,
    double rmsNormEps,
    double ropeTheta,
    RopeScaling ropeScaling,
    Integer slidingWindow,
    boolean qkvBias,
    boolean oBias,
    boolean mlpBias,
    boolean qkNorm,
    boolean tieWordEmbeddings,
    String dtype,
    String hiddenAct,
    boolean quantized,
    List<Integer> windows,
    double localRopeTheta,
    int rotaryDim,
    BlockTraits traits,
    Experts experts,
    List<String> missing) {
  public ModelConfig {
    windows = List.copyOf(windows);
    missing = List.copyOf(missing);
  }

  /**
   * Reads config.json as Transformers 4 and 5 write it; a multimodal file's text_config is what
   * counts.
   *
   * @param file the name to put in messages
   * @throws CheckpointException where the JSON is bad, or a family that has blocks here lacks a key
   *     or has an impossible value
   */
  public static ModelConfig parse(String file, byte[] json) {
    return new ConfigParser(file, json).parse();
  }

  /** Whether model_type is of a family whose tensors are known here, whatever else is missing. */
  public boolean knownFamily() {
    return Family.of(modelType).isPresent();
  }

  /** Whether a block has a mixture of experts in place of one feed-forward. */
  public boolean sparse(int block) {
    return experts != null && experts.sparse().get(block);
  }

  /** The linears of a block, in the order of their arithmetic; routers are none. */
  public List<LinearRole> linears(int block) {
    List<LinearRole> dense = traits.fused() ? LinearRole.FUSED : LinearRole.SEPARATE;
    if (!sparse(block)) {
      return dense;
    }
    List<LinearRole> all =
        new ArrayList<>(dense.stream().filter(role -> role.kind().inAttention()).toList());
    for (int expert = 0; expert < experts.count(); expert++) {
      all.addAll(LinearRole.ofExpert(expert));
    }
    if (experts.shared()) {
      all.addAll(LinearRole.ofExpert(LinearRole.SHARED));
    }
    return all;
  }

  /** Why calibrated methods cannot take this model; empty if they can. */
  public Optional<String> unsupportedReason() {
    return missing.isEmpty() ? Optional.empty() : Optional.of(String.join("; ", missing));
  }
}
