package io.shardpress.kernels.nn;

import io.shardpress.kernels.loops.Loops;
import io.shardpress.kernels.parallel.RowTiles;
import io.shardpress.kernels.parallel.Workers;
import io.shardpress.schemas.model.LinearRole;
import java.util.Arrays;
import java.util.List;

/**
 * The backward pass of a {@link Mixture}, expert after expert: what each gave is computed again
 * from its inputs, so that one expert is in memory. Which experts a token goes through is taken as
 * given; with w their weights and dw_e = dy·y_e, the scores of the router get w_f·(dw_f − Σ
 * w_e·dw_e) over the chosen where weights add up to 1, else [f chosen]·w_f·dw_f − p_f·Σ w_e·dw_e
 * over all.
 */
final class MixtureGradient {
  private final BlockShape shape;
  private final MixtureShape mixture;
  private final Linears linears;
  private final Mixture forward;

  MixtureGradient(BlockShape shape, Linears linears, Mixture forward) {
    this.shape = shape;
    this.mixture = shape.mixture();
    this.linears = linears;
    this.forward = forward;
  }

  /**
   * Makes ∂loss/∂x.
   *
   * @param x [rows×hidden], which the router reads
   * @param rounded the same as experts' linears read it
   * @param quantization of what down reads
   * @param dy ∂loss/∂y [rows×hidden]
   * @param dx receives ∂loss/∂x [rows×hidden]
   */
  void backward(
      int rows,
      float[] x,
      float[] rounded,
      MixtureWeights w,
      ActivationQuantization quantization,
      float[] dy,
      float[] dx,
      BackwardObserver observer,
      Workers workers) {
    int hidden = shape.hidden();
    Arrays.fill(dx, 0, rows * hidden, 0);
    Routing routing = forward.route(rows, x, w.router(), workers);
    float[] weightGradients = new float[routing.weights().length];
    for (int number : mixture.numbers()) {
      boolean shared = number == LinearRole.SHARED;
      int[] tokens = shared ? Mixture.all(rows) : routing.rowsOf(number);
      if (tokens.length == 0) {
        continue;
      }
      float[] weights =
          shared
              ? forward.sharedWeights(rows, x, w.sharedGate(), workers)
              : routing.weightsOf(number);
      float[] ofWeights =
          expert(number, tokens, weights, x, rounded, w, quantization, dy, dx, observer, workers);
      if (shared) {
        sharedGate(rows, weights, ofWeights, w.sharedGate(), dx, workers);
      } else {
        put(routing, number, ofWeights, weightGradients);
      }
    }
    router(rows, x, routing, weightGradients, w.router(), dx, workers);
  }

  /** An expert's backward pass; ∂loss/∂ its weights, [tokens]. */
  private float[] expert(
      int number,
      int[] tokens,
      float[] weights,
      float[] x,
      float[] rounded,
      MixtureWeights w,
      ActivationQuantization quantization,
      float[] dy,
      float[] dx,
      BackwardObserver observer,
      Workers workers) {
    int n = tokens.length;
    int hidden = shape.hidden();
    int width = mixture.width(number);
    MixtureWeights.Expert expert = w.expert(number);
    float[] read = Mixture.gather(x, hidden, tokens);
    float[] input = rounded == x ? read : Mixture.gather(rounded, hidden, tokens);
    float[] gate = new float[n * width];
    float[] up = new float[n * width];
    linears.forward(n, hidden, width, input, expert.gate(), null, gate, workers);
    linears.forward(n, hidden, width, input, expert.up(), null, up, workers);
    float[] inside = new float[n * width];
    var activation = shape.traits().activation();
    GatedActivation.forward(activation, n * width, gate, up, inside, workers);
    float[] roundedInside = inside.clone();
    quantization.insideExpert(n, width, roundedInside, workers);
    float[] out = forward.down(n, roundedInside, expert, width, workers);

    float[] dOut = Mixture.gather(dy, hidden, tokens);
    float[] ofWeights = new float[n];
    RowTiles.forEach(
        n,
        workers,
        i -> {
          int at = i * hidden;
          ofWeights[i] = Loops.chosen().dot(dOut, at, out, at, hidden);
          Loops.chosen().scale(weights[i], dOut, at, at + hidden);
        });
    List<LinearRole> roles = LinearRole.ofExpert(number);
    observer.stage(
        new StageGradients(
            Stage.DOWN,
            number,
            n,
            width,
            inside,
            List.of(new StageGradients.Part(roles.get(2), hidden, dOut, out))),
        workers);
    float[] dInside = roundedInside;
    linears.inputGradient(n, width, hidden, dOut, expert.down(), 0, dInside, workers);
    float[] dGate = new float[n * width];
    float[] dUp = new float[n * width];
    GatedActivation.backward(activation, n * width, gate, up, dInside, dGate, dUp, workers);
    observer.stage(
        new StageGradients(
            Stage.GATE_UP,
            number,
            n,
            hidden,
            read,
            List.of(
                new StageGradients.Part(roles.get(0), width, dGate, gate),
                new StageGradients.Part(roles.get(1), width, dUp, up))),
        workers);
    float[] dInput = out;
    linears.inputGradient(n, hidden, width, dGate, expert.gate(), 0, dInput, workers);
    linears.inputGradient(n, hidden, width, dUp, expert.up(), 1, dInput, workers);
    for (int i = 0; i < n; i++) {
      Loops.chosen().addScaled(1, dInput, i * hidden, dx, tokens[i] * hidden, hidden);
    }
    return ofWeights;
  }

  /** Through σ(g·x), what the shared expert's output was multiplied by. */
  private void sharedGate(
      int rows, float[] weights, float[] ofWeights, float[] gate, float[] dx, Workers workers) {
    int hidden = shape.hidden();
    RowTiles.forEach(
        rows,
        workers,
        row -> {
          float slope = ofWeights[row] * weights[row] * (1 - weights[row]);
          Loops.chosen().addScaled(slope, gate, 0, dx, row * hidden, hidden);
        });
  }

  private static void put(Routing routing, int expert, float[] some, float[] all) {
    int next = 0;
    for (int i = 0; i < all.length; i++) {
      if (routing.experts()[i] == expert) {
        all[i] = some[next++];
      }
    }
  }

  /** Through the weights of the chosen experts to the router's scores, and to x. */
  private void router(
      int rows,
      float[] x,
      Routing routing,
      float[] weightGradients,
      float[] router,
      float[] dx,
      Workers workers) {
    int experts = mixture.experts();
    int k = mixture.perToken();
    float[] scores = new float[rows * experts];
    linears.forward(rows, shape.hidden(), experts, x, router, null, scores, workers);
    RowTiles.forEach(
        rows,
        workers,
        row -> {
          int at = row * experts;
          double sum = 0;
          for (int i = row * k; i < (row + 1) * k; i++) {
            sum += (double) routing.weights()[i] * weightGradients[i];
          }
          if (mixture.renormalised()) {
            Arrays.fill(scores, at, at + experts, 0);
          } else {
            softmax(scores, at, experts, -sum);
          }
          for (int i = row * k; i < (row + 1) * k; i++) {
            double pull = mixture.renormalised() ? sum : 0;
            scores[at + routing.experts()[i]] +=
                (float) (routing.weights()[i] * (weightGradients[i] - pull));
          }
        });
    linears.inputGradient(rows, shape.hidden(), experts, scores, router, 1, dx, workers);
  }

  /** x ← factor·softmax(x). */
  private static void softmax(float[] x, int at, int n, double factor) {
    double largest = Loops.chosen().max(x, at, at + n);
    double sum = 0;
    for (int i = at; i < at + n; i++) {
      sum += Math.exp(x[i] - largest);
    }
    for (int i = at; i < at + n; i++) {
      x[i] = (float) (factor * Math.exp(x[i] - largest) / sum);
    }
  }
}
