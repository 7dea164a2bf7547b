package io.shardpress.schemas.recipe;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shardpress.schemas.UsageException;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class TargetMatcherTest {
  @ParameterizedTest
  @CsvSource({
    "Linear, lm_head, true",
    "lm_head, lm_head, true",
    "lm_head, model.lm_head, false",
    "lm, lm_head, false",
    "re:lm, lm_head, true",
    "re:head, lm_head, false",
    "re:.*head$, lm_head, true",
    "re:.*q_proj$, model.layers.0.self_attn.q_proj, true",
    "re:q_proj, model.layers.0.self_attn.q_proj, false",
    "re:(?P<n>model).layers, model.layers.0.mlp.up_proj, true",
    "Linea, model.layers.0.mlp.up_proj, false",
  })
  void followsPythonsMatch(String target, String module, boolean matches) {
    assertThat(new TargetMatcher(List.of(target)).matches(module, "Linear")).isEqualTo(matches);
  }

  @Test
  void nothingMatchesNoTargets() {
    assertThat(new TargetMatcher(List.of()).matches("lm_head", "Linear")).isFalse();
  }

  @Test
  void aBrokenPatternIsNamed() {
    assertThatThrownBy(() -> new TargetMatcher(List.of("re:.*(q_proj")))
        .isInstanceOf(UsageException.class)
        .hasMessageContaining("target 're:.*(q_proj' is no regular expression");
  }

  @ParameterizedTest
  @ValueSource(strings = {"re:(.*)*(.*)*(.*)*x$", "re:(.*a){20}b"})
  void aPatternThatWouldNotEndIsRefused(String target) {
    TargetMatcher matcher = new TargetMatcher(List.of(target));
    assertThatThrownBy(() -> matcher.matches("a".repeat(60), "Linear"))
        .isInstanceOf(UsageException.class)
        .hasMessageContainingAll("target '" + target + "'", "takes too long on the name aaa");
  }

  @Test
  void aPatternThatIsTooDeepIsRefused() {
    String deep = "re:" + "(".repeat(50_000) + ")".repeat(50_000);
    assertThatThrownBy(() -> new TargetMatcher(List.of(deep)))
        .isInstanceOf(UsageException.class)
        .hasMessageContaining("is no regular expression: Stack overflow");
  }
}
