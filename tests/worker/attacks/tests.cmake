relusweep_test(worker/attacks/attack_test LINK test_small_net)
