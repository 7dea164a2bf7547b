package io.shardpress.spark;

import static com.tngtech.archunit.core.domain.properties.HasName.Predicates.nameMatching;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

/** Dependencies run one way, and every module keeps to its own. */
@AnalyzeClasses(packages = "io.shardpress", importOptions = ImportOption.DoNotIncludeTests.class)
final class ArchitectureTest {
  private static final String SCHEMAS = "io.shardpress.schemas..";
  private static final String KERNELS = "io.shardpress.kernels..";
  private static final String JOBS = "io.shardpress.spark..";

  /**
   * Streams over arrays are fine, and so is being serializable; files, sockets and Spark are not.
   */
  private static final String OUTSIDE =
      "java\\.io\\.(File|RandomAccess).*|java\\.nio\\.(file|channels)\\..*|java\\.net\\..*"
          + "|org\\.apache\\.(spark|hadoop)\\..*|scala\\..*";

  @ArchTest
  static final ArchRule schemasKnowNothingOfOurs =
      noClasses()
          .that()
          .resideInAPackage(SCHEMAS)
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(KERNELS, JOBS);

  @ArchTest
  static final ArchRule kernelsKnowSchemasOnly =
      noClasses()
          .that()
          .resideInAPackage(KERNELS)
          .should()
          .dependOnClassesThat()
          .resideInAPackage(JOBS);

  @ArchTest
  static final ArchRule kernelsTakeArraysAndRecords =
      noClasses()
          .that()
          .resideInAPackage(KERNELS)
          .should()
          .dependOnClassesThat(nameMatching(OUTSIDE));

  @ArchTest
  static final ArchRule schemasOpenNoFiles =
      noClasses()
          .that()
          .resideInAPackage(SCHEMAS)
          .should()
          .dependOnClassesThat(nameMatching(OUTSIDE));

  @ArchTest
  static final ArchRule schemasComputeNothing =
      noClasses()
          .that()
          .resideInAPackage(SCHEMAS)
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage("jdk.incubator..", "org.bytedeco..");

  @ArchTest
  static final ArchRule theCommandLineStartsWithoutSpark =
      noClasses()
          .that()
          .resideInAPackage("io.shardpress.spark.cli..")
          .and()
          .doNotHaveSimpleName("JvmOptions")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage("org.apache..", "scala..");

  @ArchTest
  static final ArchRule packagesHaveNoCycles =
      slices().matching("io.shardpress.(*).(*)..").should().beFreeOfCycles();
}
