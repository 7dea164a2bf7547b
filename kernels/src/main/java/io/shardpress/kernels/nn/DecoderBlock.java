package io.shardpress.kernels.nn;

import io.shardpress.kernels.loops.Loops;
import io.shardpress.kernels.matmul.Matmul;
import io.shardpress.kernels.parallel.Workers;
import io.shardpress.schemas.model.LinearRole;
import java.util.Map;

/**
 * A Llama-family decoder block: h = x + o(attention(norm x)), y = h + down(silu(gate) ∘ up), with
 * optional biases, head norms, norms of what is added to the stream, fused linears and other
 * activations, as {@link BlockShape} has them. The forward pass runs in the four stages of {@link
 * Stage}, so that a layer-wise learner can stop between them. A mixture of experts runs in stage
 * GATE_UP, and DOWN adds what it gives. Attention and experts can be learned one by one: see {@link
 * #attentionOnly} and {@link #expert}.
 */
public final class DecoderBlock {
  private final BlockShape shape;
  private final Linears linears;
  private final Mixture mixture;
  private final Attention attention;
  private final Rope rope;
  private final ActivationQuantization quantization;
  private final Extent extent;

  /** What of a block is run and learned. */
  enum Extent {
    WHOLE,
    ATTENTION,
    FEED_FORWARD
  }

  /**
   * @param window tokens of a window; every batch holds whole windows
   */
  public DecoderBlock(BlockShape shape, int window, Matmul matmul) {
    this(
        shape,
        new Linears(matmul),
        shape.mixture() == null ? null : new Mixture(shape, matmul),
        new Attention(shape, matmul),
        new Rope(shape.rotation(), shape.headDim(), window),
        ActivationQuantization.NONE,
        Extent.WHOLE);
  }

  private DecoderBlock(
      BlockShape shape,
      Linears linears,
      Mixture mixture,
      Attention attention,
      Rope rope,
      ActivationQuantization quantization,
      Extent extent) {
    this.shape = shape;
    this.linears = linears;
    this.mixture = mixture;
    this.attention = attention;
    this.rope = rope;
    this.quantization = quantization;
    this.extent = extent;
  }

  /**
   * The same block with activations rounded in its forward pass. Its backward pass takes the
   * rounding's gradient for 1, and the weights' gradients from the inputs as they were before.
   */
  public DecoderBlock with(ActivationQuantization other) {
    return new DecoderBlock(shape, linears, mixture, attention, rope, other, extent);
  }

  /**
   * Its first half alone, x + o(attention(norm x)): what it gives is {@link
   * BlockActivations#middle}.
   */
  public DecoderBlock attentionOnly() {
    return new DecoderBlock(
        shape, linears, mixture, attention, rope, quantization, Extent.ATTENTION);
  }

  /**
   * An expert by itself, down(f(gate x) ∘ up x), without norms and residual stream; its linears are
   * those of no expert, and rows are tokens in any order.
   *
   * @param block the block that it belongs to
   * @param expert its number
   */
  public static DecoderBlock expert(BlockShape block, int expert, Matmul matmul) {
    return new DecoderBlock(
        block.ofExpert(expert),
        new Linears(matmul),
        null,
        null,
        new Rope(block.rotation(), block.headDim(), 1),
        ActivationQuantization.NONE,
        Extent.FEED_FORWARD);
  }

  /** What a forward pass gives, [rows×hidden]. */
  public float[] result(BlockActivations a) {
    return extent == Extent.ATTENTION ? a.middle() : a.output();
  }

  public BlockShape shape() {
    return shape;
  }

  /** Tokens of a window. */
  public int window() {
    return rope.positions();
  }

  /** The whole forward pass: reads {@code a.input()}, fills everything else in {@code a}. */
  public void forward(BlockWeights w, int rows, BlockActivations a, Workers workers) {
    if (extent == Extent.FEED_FORWARD) {
      resume(rows, a);
      System.arraycopy(a.input(), 0, a.feedForwardInput(), 0, rows * shape.hidden());
      run(Stage.GATE_UP, w, a, workers);
      run(Stage.DOWN, w, a, workers);
      return;
    }
    begin(w, rows, a, workers);
    run(Stage.QKV, w, a, workers);
    run(Stage.O, w, a, workers);
    if (extent == Extent.WHOLE) {
      run(Stage.GATE_UP, w, a, workers);
      run(Stage.DOWN, w, a, workers);
    }
  }

  /** Makes the input of the first stage from {@code a.input()}. */
  public void begin(BlockWeights w, int rows, BlockActivations a, Workers workers) {
    resume(rows, a);
    RmsNorm.forward(
        rows,
        shape.hidden(),
        a.input(),
        w.inputNorm(),
        shape.epsilon(),
        a.attentionInput(),
        workers);
  }

  /**
   * Takes up a batch in the middle: the caller has put what the next stage reads into {@code a},
   * that is its {@link BlockActivations#stageInput} and, before stage O, {@code a.input()}, before
   * stage DOWN, {@code a.middle()}.
   */
  public void resume(int rows, BlockActivations a) {
    if (rows > a.capacity() || rows % window() != 0) {
      throw new IllegalArgumentException(
          rows + " rows: at most " + a.capacity() + " in whole windows of " + window());
    }
    a.rows = rows;
    a.window = window();
  }

  /** Makes the input of stage GATE_UP from {@code a.middle()}. */
  public void beginFeedForward(BlockWeights w, BlockActivations a, Workers workers) {
    RmsNorm.forward(
        a.rows,
        shape.hidden(),
        a.middle(),
        w.postNorm(),
        shape.epsilon(),
        a.feedForwardInput(),
        workers);
  }

  /** Runs a stage's linears and what follows them, up to the input of the next stage. */
  public void run(Stage stage, BlockWeights w, BlockActivations a, Workers workers) {
    boolean inMixture = mixture != null && stage == Stage.DOWN;
    float[] x = inMixture ? null : quantization.input(stage, shape, a, workers);
    switch (stage) {
      case QKV -> {
        boolean norms = w.queryNorm() != null;
        float[] query = norms ? a.queryBeforeNorm() : a.query();
        float[] key = norms ? a.keyBeforeNorm() : a.key();
        if (shape.traits().fused()) {
          float[] fused = a.fused(shape.out(LinearRole.QKV));
          linear(w, LinearRole.QKV, a, x, fused, workers);
          SideBySide.split(
              a.rows, fused, shape.qkvWidths(), new float[][] {query, key, a.value()}, workers);
        } else {
          linear(w, LinearRole.Q, a, x, query, workers);
          linear(w, LinearRole.K, a, x, key, workers);
          linear(w, LinearRole.V, a, x, a.value(), workers);
        }
        if (norms) {
          headNorm(a.rows * shape.heads(), a.queryBeforeNorm(), w.queryNorm(), a.query(), workers);
          headNorm(a.rows * shape.kvHeads(), a.keyBeforeNorm(), w.keyNorm(), a.key(), workers);
        }
        quantization.beforeRope(a.rows, shape.keyWidth(), a.key(), a.value(), workers);
        rope.forward(a.rows, a.window, shape.heads(), a.query(), workers);
        rope.forward(a.rows, a.window, shape.kvHeads(), a.key(), workers);
        quantization.afterRope(a.rows, shape.keyWidth(), a.key(), a.value(), workers);
        attention.forward(
            a.rows, a.window, a.query(), a.key(), a.value(), a.attention(), a.logSumExp(), workers);
      }
      case O -> {
        BlockWeights.OutputNorms norms = w.outputNorms();
        float[] out = norms == null ? a.middle() : a.attentionOutput();
        linear(w, LinearRole.O, a, x, out, workers);
        addNormed(a, out, norms == null ? null : norms.attention(), a.input(), a.middle(), workers);
        beginFeedForward(w, a, workers);
      }
      case GATE_UP -> {
        if (mixture != null) {
          float[] read = a.feedForwardInput();
          mixture.forward(
              a.rows, read, x, w.mixture(), quantization, a.feedForwardOutput(), workers);
          return;
        }
        if (shape.traits().fused()) {
          float[] fused = a.fused(shape.out(LinearRole.GATE_UP));
          linear(w, LinearRole.GATE_UP, a, x, fused, workers);
          SideBySide.split(
              a.rows, fused, shape.gateUpWidths(), new float[][] {a.gate(), a.up()}, workers);
        } else {
          linear(w, LinearRole.GATE, a, x, a.gate(), workers);
          linear(w, LinearRole.UP, a, x, a.up(), workers);
        }
        GatedActivation.forward(
            shape.traits().activation(),
            a.rows * shape.ffn(),
            a.gate(),
            a.up(),
            a.feedForward(),
            workers);
      }
      case DOWN -> {
        BlockWeights.OutputNorms norms = w.outputNorms();
        float[] out = norms == null && mixture == null ? a.output() : a.feedForwardOutput();
        if (mixture == null) {
          linear(w, LinearRole.DOWN, a, x, out, workers);
        }
        if (extent == Extent.FEED_FORWARD) {
          return;
        }
        float[] norm = norms == null ? null : norms.feedForward();
        addNormed(a, out, norm, a.middle(), a.output(), workers);
      }
    }
  }

  /** y ← stream + out, or stream + norm(out); out may be y where there is no norm. */
  private void addNormed(
      BlockActivations a, float[] out, float[] norm, float[] stream, float[] y, Workers workers) {
    int n = a.rows * shape.hidden();
    if (norm != null) {
      RmsNorm.forward(a.rows, shape.hidden(), out, norm, shape.epsilon(), y, workers);
    } else if (out != y) {
      System.arraycopy(out, 0, y, 0, n);
    }
    add(n, stream, y);
  }

  /**
   * The backward pass after {@link #forward}.
   *
   * @param dy ∂loss/∂output [rows×hidden]
   * @param dx receives ∂loss/∂input [rows×hidden], or null where nobody needs it
   * @param gradients receives ∂loss/∂weight [out×in] of each linear in it
   */
  public void backward(
      BlockWeights w,
      BlockActivations a,
      float[] dy,
      float[] dx,
      Map<LinearRole, float[]> gradients,
      BlockGradients g,
      Workers workers) {
    backward(w, a, dy, dx, g, workers);
    gradients.forEach((role, gradient) -> weightGradient(role, a, dy, g, 0, gradient, workers));
  }

  /**
   * The backward pass without the weights' gradients, for which it leaves in {@code g} what {@link
   * #weightGradient} takes.
   *
   * @param dy ∂loss/∂output [rows×hidden]
   * @param dx receives ∂loss/∂input [rows×hidden], or null where nobody needs it
   */
  public void backward(
      BlockWeights w,
      BlockActivations a,
      float[] dy,
      float[] dx,
      BlockGradients g,
      Workers workers) {
    backward(w, a, dy, dx, g, BackwardObserver.NONE, workers);
  }

  /**
   * The same, with somebody who looks at every stage on the way.
   *
   * @param dy ∂loss/∂output [rows×hidden]
   * @param dx receives ∂loss/∂input [rows×hidden], or null where nobody needs it
   */
  public void backward(
      BlockWeights w,
      BlockActivations a,
      float[] dy,
      float[] dx,
      BlockGradients g,
      BackwardObserver observer,
      Workers workers) {
    new BlockBackward(shape, extent, linears, mixture, attention, rope, quantization)
        .run(w, a, dy, dx, g, observer, workers);
  }

  /**
   * The gradient of one linear's weight after the backward pass.
   *
   * @param dy ∂loss/∂output as the backward pass had it
   * @param kept what stays of {@code gradient}: 0 to overwrite it, 1 to add to it
   * @param gradient receives ∂loss/∂weight [out×in]
   */
  public void weightGradient(
      LinearRole role,
      BlockActivations a,
      float[] dy,
      BlockGradients g,
      float kept,
      float[] gradient,
      Workers workers) {
    if (role.expert() != LinearRole.NONE) {
      throw new IllegalArgumentException(
          role + " belongs to an expert: its gradient comes from a pass through that alone");
    }
    float[] x = a.stageInput(Stage.of(role));
    boolean norms = shape.traits().outputNorms();
    float[] dOut =
        switch (role.kind()) {
          case Q -> g.query;
          case K -> g.key;
          case V -> g.value;
          case QKV -> g.queryKeyValue;
          case O -> norms ? g.attentionOutput : g.middle;
          case GATE -> g.gate;
          case UP -> g.up;
          case GATE_UP -> g.gateUp;
          case DOWN -> norms ? g.feedForwardOutput : dy;
        };
    linears.weightGradient(
        a.rows, shape.in(role), shape.out(role), x, dOut, kept, gradient, workers);
  }

  private void linear(
      BlockWeights w, LinearRole role, BlockActivations a, float[] x, float[] y, Workers workers) {
    float[] bias = w.biases().get(role);
    linears.forward(a.rows, shape.in(role), shape.out(role), x, w.linear(role), bias, y, workers);
  }

  private void headNorm(int rows, float[] x, float[] w, float[] y, Workers workers) {
    RmsNorm.forward(rows, shape.headDim(), x, w, shape.epsilon(), y, workers);
  }

  private static void add(int n, float[] x, float[] into) {
    Loops.chosen().addScaled(1, x, 0, into, 0, n);
  }
}
