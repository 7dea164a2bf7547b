package io.shardpress.kernels.nn;

import io.shardpress.kernels.loops.Loops;
import io.shardpress.kernels.matmul.Matmul;
import io.shardpress.kernels.matmul.Matmul.Op;
import io.shardpress.kernels.parallel.Workers;
import io.shardpress.schemas.model.LinearRole;
import java.util.Map;

/**
 * A Llama-family decoder block: h = x + o(attention(norm x)), y = h + down(silu(gate) ∘ up), with
 * optional biases and head norms. The forward pass runs in the four stages of {@link Stage}, so
 * that a layer-wise learner can stop between them.
 */
public final class DecoderBlock {
  private final BlockShape shape;
  private final Matmul matmul;
  private final Attention attention;
  private final Rope rope;
  private final ActivationQuantization quantization;

  /**
   * @param window tokens of a window; every batch holds whole windows
   */
  public DecoderBlock(BlockShape shape, int window, Matmul matmul) {
    this(
        shape,
        matmul,
        new Attention(shape, matmul),
        new Rope(shape.inverseFrequencies(), window),
        ActivationQuantization.NONE);
  }

  private DecoderBlock(
      BlockShape shape,
      Matmul matmul,
      Attention attention,
      Rope rope,
      ActivationQuantization quantization) {
    this.shape = shape;
    this.matmul = matmul;
    this.attention = attention;
    this.rope = rope;
    this.quantization = quantization;
  }

  /**
   * The same block with activations rounded in its forward pass. Its backward pass takes the
   * rounding's gradient for 1, and the weights' gradients from the inputs as they were before.
   */
  public DecoderBlock with(ActivationQuantization other) {
    return new DecoderBlock(shape, matmul, attention, rope, other);
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
    begin(w, rows, a, workers);
    for (Stage stage : Stage.values()) {
      run(stage, w, a, workers);
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
    float[] x = quantization.input(stage, shape, a, workers);
    switch (stage) {
      case QKV -> {
        boolean norms = w.queryNorm() != null;
        linear(w, LinearRole.Q, a, x, norms ? a.queryBeforeNorm() : a.query(), workers);
        linear(w, LinearRole.K, a, x, norms ? a.keyBeforeNorm() : a.key(), workers);
        linear(w, LinearRole.V, a, x, a.value(), workers);
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
        linear(w, LinearRole.O, a, x, a.middle(), workers);
        add(a.rows * shape.hidden(), a.input(), a.middle());
        beginFeedForward(w, a, workers);
      }
      case GATE_UP -> {
        linear(w, LinearRole.GATE, a, x, a.gate(), workers);
        linear(w, LinearRole.UP, a, x, a.up(), workers);
        SwiGlu.forward(a.rows * shape.ffn(), a.gate(), a.up(), a.feedForward(), workers);
      }
      case DOWN -> {
        linear(w, LinearRole.DOWN, a, x, a.output(), workers);
        add(a.rows * shape.hidden(), a.middle(), a.output());
      }
    }
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
    int rows = a.rows;
    int hidden = shape.hidden();
    inputGradient(w, LinearRole.DOWN, a, dy, 0, g.feedForward, workers);
    SwiGlu.backward(rows * shape.ffn(), a.gate(), a.up(), g.feedForward, g.gate, g.up, workers);
    inputGradient(w, LinearRole.GATE, a, g.gate, 0, g.normed, workers);
    inputGradient(w, LinearRole.UP, a, g.up, 1, g.normed, workers);
    System.arraycopy(dy, 0, g.middle, 0, rows * hidden);
    RmsNorm.backward(
        rows, hidden, a.middle(), w.postNorm(), shape.epsilon(), g.normed, g.middle, workers);
    inputGradient(w, LinearRole.O, a, g.middle, 0, g.attention, workers);
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
    if (w.queryNorm() != null) {
      headNormBackward(rows * shape.heads(), a.queryBeforeNorm(), w.queryNorm(), g.query, workers);
      headNormBackward(rows * shape.kvHeads(), a.keyBeforeNorm(), w.keyNorm(), g.key, workers);
    }
    if (dx != null) {
      inputGradient(w, LinearRole.Q, a, g.query, 0, g.normed, workers);
      inputGradient(w, LinearRole.K, a, g.key, 1, g.normed, workers);
      inputGradient(w, LinearRole.V, a, g.value, 1, g.normed, workers);
      System.arraycopy(g.middle, 0, dx, 0, rows * hidden);
      RmsNorm.backward(
          rows, hidden, a.input(), w.inputNorm(), shape.epsilon(), g.normed, dx, workers);
    }
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
    float[] x =
        switch (role) {
          case Q, K, V -> a.attentionInput();
          case O -> a.attention();
          case GATE, UP -> a.feedForwardInput();
          case DOWN -> a.feedForward();
        };
    float[] dOut =
        switch (role) {
          case Q -> g.query;
          case K -> g.key;
          case V -> g.value;
          case O -> g.middle;
          case GATE -> g.gate;
          case UP -> g.up;
          case DOWN -> dy;
        };
    int out = shape.out(role);
    int in = shape.in(role);
    matmul.multiply(
        Op.TRANSPOSED,
        Op.AS_IS,
        out,
        in,
        a.rows,
        1,
        dOut,
        0,
        out,
        x,
        0,
        in,
        kept,
        gradient,
        0,
        in,
        workers);
  }

  private void linear(
      BlockWeights w, LinearRole role, BlockActivations a, float[] x, float[] y, Workers workers) {
    int out = shape.out(role);
    int in = shape.in(role);
    float[] bias = w.biases().get(role);
    if (bias != null) {
      for (int row = 0; row < a.rows; row++) {
        System.arraycopy(bias, 0, y, row * out, out);
      }
    }
    float beta = bias == null ? 0 : 1;
    matmul.multiply(
        Op.AS_IS,
        Op.TRANSPOSED,
        a.rows,
        out,
        in,
        1,
        x,
        0,
        in,
        w.linear(role),
        0,
        in,
        beta,
        y,
        0,
        out,
        workers);
  }

  private void inputGradient(
      BlockWeights w,
      LinearRole role,
      BlockActivations a,
      float[] dy,
      float beta,
      float[] dx,
      Workers workers) {
    int out = shape.out(role);
    int in = shape.in(role);
    matmul.multiply(
        Op.AS_IS,
        Op.AS_IS,
        a.rows,
        in,
        out,
        1,
        dy,
        0,
        out,
        w.linear(role),
        0,
        in,
        beta,
        dx,
        0,
        in,
        workers);
  }

  private void headNorm(int rows, float[] x, float[] w, float[] y, Workers workers) {
    RmsNorm.forward(rows, shape.headDim(), x, w, shape.epsilon(), y, workers);
  }

  private void headNormBackward(int rows, float[] x, float[] w, float[] dy, Workers workers) {
    RmsNorm.backwardInPlace(rows, shape.headDim(), x, w, shape.epsilon(), dy, workers);
  }

  private static void add(int n, float[] x, float[] into) {
    Loops.chosen().addScaled(1, x, 0, into, 0, n);
  }
}
