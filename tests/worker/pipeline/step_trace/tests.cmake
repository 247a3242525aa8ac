# A step, and the same step shown to another implementation.
relusweep_test(worker/pipeline/step_test LINK test_small_net)
