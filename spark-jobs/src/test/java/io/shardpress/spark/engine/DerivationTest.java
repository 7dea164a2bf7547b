package io.shardpress.spark.engine;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shardpress.spark.io.Location;
import io.shardpress.spark.store.PartKey;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.Test;

final class DerivationTest {
  private static final StepKind ROUND = new StepKind("test.round", 2);

  record Tensor(String name, @Location String file) {}

  record Round(StepKind kind, Tensor tensor, int rows) implements Derivation {}

  record Solve(List<Round> inputs, PartKey target) implements Step {
    @Override
    public StepKind kind() {
      return new StepKind("test.solve", 1);
    }

    @Override
    public void run(TaskEnvironment environment) {
      throw new UnsupportedOperationException("is only named here");
    }
  }

  private static final Round STEP = new Round(ROUND, new Tensor("q", "a.safetensors"), 3);

  private static String sha256(String text) throws NoSuchAlgorithmException {
    MessageDigest sha = MessageDigest.getInstance("SHA-256");
    return HexFormat.of().formatHex(sha.digest(text.getBytes(UTF_8)));
  }

  private static String roundText() {
    return "part{format="
        + PartKey.FORMAT
        + ",kind=\"10:test.round\",version=2,of=DerivationTest$Round{"
        + "kind=StepKind{name=\"10:test.round\",version=2},"
        + "tensor=DerivationTest$Tensor{name=\"1:q\"},rows=3}}";
  }

  @Test
  void aPartIsNamedByFormatKindVersionAndComponents() throws Exception {
    assertThat(STEP.part().hex()).isEqualTo(sha256(roundText()));
    assertThat(STEP.part()).as("remembered").isEqualTo(STEP.part());
  }

  @Test
  void aStepNamesThoseWithinItByTheirParts() throws Exception {
    PartKey target = new PartKey("ab");
    String text =
        "part{format="
            + PartKey.FORMAT
            + ",kind=\"10:test.solve\",version=1,of=DerivationTest$Solve{inputs=[step:"
            + sha256(roundText())
            + "],target=PartKey{hex=\"2:ab\"}}}";
    assertThat(new Solve(List.of(STEP), target).part().hex()).isEqualTo(sha256(text));
  }

  @Test
  void outputsHaveNamesOfTheirOwn() throws Exception {
    String text = "output{PartKey{hex=\"64:" + sha256(roundText()) + "\"},\"5:state\"}";
    assertThat(STEP.part("state").hex()).isEqualTo(sha256(text));
    assertThat(STEP.part("other")).isNotIn(STEP.part(), STEP.part("state"));
  }

  @Test
  void aStepHasOnePartUnlessItSaysOtherwise() {
    Solve step = new Solve(List.of(), null);
    assertThat(step.parts()).containsExactly(step.part());
  }

  @Test
  void whereATensorLiesDoesNotCountAndAllElseDoes() {
    RecordVariants variants = new AnyRecord(7, List.of()).variants(STEP);
    assertThat(variants.fixed()).isEmpty();
    assertThat(variants.all())
        .extracting(RecordVariants.Variant::path)
        .containsExactly(".kind.name", ".kind.version", ".tensor.name", ".tensor.file", ".rows");
    for (RecordVariants.Variant variant : variants.all()) {
      boolean same = ((Derivation) variant.record()).part().equals(STEP.part());
      assertThat(same).as(variant.path()).isEqualTo(variant.location());
    }
  }

  @Test
  void aListThatIsFilledAfterNamingGivesAnotherName() {
    List<Round> inputs = new ArrayList<>();
    Solve step = new Solve(inputs, null);
    PartKey before = step.part();
    inputs.add(STEP);
    assertThat(step.part()).isNotEqualTo(before).isEqualTo(new Solve(List.of(STEP), null).part());
  }

  @Test
  void whatIsNoRecordHasNoName() {
    Derivation derivation =
        new Derivation() {
          @Override
          public StepKind kind() {
            return ROUND;
          }
        };
    assertThatThrownBy(derivation::part)
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("DerivationTest$1 is no record");
  }

  @Test
  void aKindHasANameAndAVersionFromOneOn() {
    assertThatThrownBy(() -> new StepKind(" ", 1)).isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> new StepKind("a", 0)).isInstanceOf(IllegalArgumentException.class);
  }
}
