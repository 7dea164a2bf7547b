package io.shardpress.kernels.nn;

import io.shardpress.kernels.parallel.Workers;
import io.shardpress.schemas.model.LinearRole;
import java.util.List;

/**
 * The backward pass of a {@link DecoderBlock}: from ∂loss/∂output through feed-forward or experts,
 * then attention, to ∂loss/∂input. Weights' gradients are not taken here.
 */
final class BlockBackward {
  private final BlockShape shape;
  private final DecoderBlock.Extent extent;
  private final Linears linears;
  private final Mixture mixture;
  private final Attention attention;
  private final Rope rope;
  private final ActivationQuantization quantization;

  BlockBackward(
      BlockShape shape,
      DecoderBlock.Extent extent,
      Linears linears,
      Mixture mixture,
      Attention attention,
      Rope rope,
      ActivationQuantization quantization) {
    this.shape = shape;
    this.extent = extent;
    this.linears = linears;
    this.mixture = mixture;
    this.attention = attention;
    this.rope = rope;
    this.quantization = quantization;
  }

  /** See {@link DecoderBlock#backward}. */
  void run(
      BlockWeights w,
      BlockActivations a,
      float[] dy,
      float[] dx,
      BlockGradients g,
      BackwardObserver observer,
      Workers workers) {
    int rows = a.rows;
    int hidden = shape.hidden();
    if (extent == DecoderBlock.Extent.ATTENTION) {
      System.arraycopy(dy, 0, g.middle, 0, rows * hidden);
      backwardAttention(w, a, dx, g, observer, workers);
      return;
    }
    float[] dOut = dy;
    if (w.outputNorms() != null) {
      dOut = g.feedForwardOutput;
      System.arraycopy(dy, 0, dOut, 0, rows * hidden);
      float[] norm = w.outputNorms().feedForward();
      observeNorm(
          observer,
          BlockNorm.FEED_FORWARD_OUTPUT,
          rows,
          hidden,
          a.feedForwardOutput(),
          dOut,
          workers);
      RmsNorm.backwardInPlace(
          rows, hidden, a.feedForwardOutput(), norm, shape.epsilon(), dOut, workers);
    }
    if (mixture != null) {
      float[] x = quantization.input(Stage.GATE_UP, shape, a, workers);
      new MixtureGradient(shape, linears, mixture)
          .backward(
              rows,
              a.feedForwardInput(),
              x,
              w.mixture(),
              quantization,
              dOut,
              g.normed,
              observer,
              workers);
    } else {
      backwardFeedForward(w, a, dOut, g, observer, workers);
    }
    if (extent == DecoderBlock.Extent.FEED_FORWARD) {
      if (dx != null) {
        System.arraycopy(g.normed, 0, dx, 0, rows * hidden);
      }
      return;
    }
    observeNorm(observer, BlockNorm.POST, rows, hidden, a.middle(), g.normed, workers);
    System.arraycopy(dy, 0, g.middle, 0, rows * hidden);
    RmsNorm.backward(
        rows, hidden, a.middle(), w.postNorm(), shape.epsilon(), g.normed, g.middle, workers);
    backwardAttention(w, a, dx, g, observer, workers);
  }

  /** From what down gave to {@code g.normed}, what gate and up read. */
  private void backwardFeedForward(
      BlockWeights w,
      BlockActivations a,
      float[] dOut,
      BlockGradients g,
      BackwardObserver observer,
      Workers workers) {
    int rows = a.rows;
    float[] down = w.outputNorms() == null ? null : a.feedForwardOutput();
    observe(observer, Stage.DOWN, a, workers, part(LinearRole.DOWN, dOut, down));
    inputGradient(w, LinearRole.DOWN, a, dOut, 0, g.feedForward, workers);
    GatedActivation.backward(
        shape.traits().activation(),
        rows * shape.ffn(),
        a.gate(),
        a.up(),
        g.feedForward,
        g.gate,
        g.up,
        workers);
    if (shape.traits().fused()) {
      SideBySide.join(rows, new float[][] {g.gate, g.up}, shape.gateUpWidths(), g.gateUp, workers);
      observe(observer, Stage.GATE_UP, a, workers, part(LinearRole.GATE_UP, g.gateUp, null));
      inputGradient(w, LinearRole.GATE_UP, a, g.gateUp, 0, g.normed, workers);
    } else {
      observe(
          observer,
          Stage.GATE_UP,
          a,
          workers,
          part(LinearRole.GATE, g.gate, a.gate()),
          part(LinearRole.UP, g.up, a.up()));
      inputGradient(w, LinearRole.GATE, a, g.gate, 0, g.normed, workers);
      inputGradient(w, LinearRole.UP, a, g.up, 1, g.normed, workers);
    }
  }

  /** The first half's backward pass, from {@code g.middle} on. */
  private void backwardAttention(
      BlockWeights w,
      BlockActivations a,
      float[] dx,
      BlockGradients g,
      BackwardObserver observer,
      Workers workers) {
    int rows = a.rows;
    int hidden = shape.hidden();
    float[] dOut = g.middle;
    if (w.outputNorms() != null) {
      dOut = g.attentionOutput;
      System.arraycopy(g.middle, 0, dOut, 0, rows * hidden);
      float[] norm = w.outputNorms().attention();
      observeNorm(
          observer, BlockNorm.ATTENTION_OUTPUT, rows, hidden, a.attentionOutput(), dOut, workers);
      RmsNorm.backwardInPlace(
          rows, hidden, a.attentionOutput(), norm, shape.epsilon(), dOut, workers);
    }
    float[] out = w.outputNorms() == null ? null : a.attentionOutput();
    observe(observer, Stage.O, a, workers, part(LinearRole.O, dOut, out));
    inputGradient(w, LinearRole.O, a, dOut, 0, g.attention, workers);
    attention.backward(
        rows,
        a.window,
        a.query(),
        a.key(),
        a.value(),
        a.attention(),
        a.logSumExp(),
        g.attention,
        g.query,
        g.key,
        g.value,
        workers);
    rope.backward(rows, a.window, shape.heads(), g.query, workers);
    rope.backward(rows, a.window, shape.kvHeads(), g.key, workers);
    boolean headNorms = w.queryNorm() != null;
    if (headNorms) {
      int d = shape.headDim();
      float[] q = a.queryBeforeNorm();
      float[] k = a.keyBeforeNorm();
      observeNorm(observer, BlockNorm.QUERY, rows * shape.heads(), d, q, g.query, workers);
      observeNorm(observer, BlockNorm.KEY, rows * shape.kvHeads(), d, k, g.key, workers);
      headNormBackward(rows * shape.heads(), a.queryBeforeNorm(), w.queryNorm(), g.query, workers);
      headNormBackward(rows * shape.kvHeads(), a.keyBeforeNorm(), w.keyNorm(), g.key, workers);
    }
    if (shape.traits().fused()) {
      SideBySide.join(
          rows,
          new float[][] {g.query, g.key, g.value},
          shape.qkvWidths(),
          g.queryKeyValue,
          workers);
      observe(observer, Stage.QKV, a, workers, part(LinearRole.QKV, g.queryKeyValue, null));
    } else {
      observe(
          observer,
          Stage.QKV,
          a,
          workers,
          part(LinearRole.Q, g.query, headNorms ? a.queryBeforeNorm() : null),
          part(LinearRole.K, g.key, headNorms ? a.keyBeforeNorm() : null),
          part(LinearRole.V, g.value, quantization.keyValues() == null ? a.value() : null));
    }
    if (dx == null && !observer.norms()) {
      return;
    }
    if (shape.traits().fused()) {
      inputGradient(w, LinearRole.QKV, a, g.queryKeyValue, 0, g.normed, workers);
    } else {
      inputGradient(w, LinearRole.Q, a, g.query, 0, g.normed, workers);
      inputGradient(w, LinearRole.K, a, g.key, 1, g.normed, workers);
      inputGradient(w, LinearRole.V, a, g.value, 1, g.normed, workers);
    }
    observeNorm(observer, BlockNorm.INPUT, rows, hidden, a.input(), g.normed, workers);
    if (dx != null) {
      System.arraycopy(g.middle, 0, dx, 0, rows * hidden);
      RmsNorm.backward(
          rows, hidden, a.input(), w.inputNorm(), shape.epsilon(), g.normed, dx, workers);
    }
  }

  private StageGradients.Part part(LinearRole role, float[] gradient, float[] output) {
    return new StageGradients.Part(role, shape.out(role), gradient, output);
  }

  private void observe(
      BackwardObserver observer,
      Stage stage,
      BlockActivations a,
      Workers workers,
      StageGradients.Part... parts) {
    if (observer != BackwardObserver.NONE) {
      float[] x = a.stageInput(stage);
      observer.stage(
          new StageGradients(stage, LinearRole.NONE, a.rows, shape.in(stage), x, List.of(parts)),
          workers);
    }
  }

  private void observeNorm(
      BackwardObserver observer,
      BlockNorm norm,
      int rows,
      int width,
      float[] x,
      float[] dy,
      Workers workers) {
    if (observer.norms()) {
      observer.norm(norm, RmsNorm.weightGradient(rows, width, x, shape.epsilon(), dy, workers));
    }
  }

  private void inputGradient(
      BlockWeights w,
      LinearRole role,
      BlockActivations a,
      float[] dy,
      float kept,
      float[] dx,
      Workers workers) {
    linears.inputGradient(
        a.rows, shape.in(role), shape.out(role), dy, w.linear(role), kept, dx, workers);
  }

  private void headNormBackward(int rows, float[] x, float[] w, float[] dy, Workers workers) {
    RmsNorm.backwardInPlace(rows, shape.headDim(), x, w, shape.epsilon(), dy, workers);
  }
}
