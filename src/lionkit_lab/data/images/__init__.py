"""Labelled images: pixels in memory, or pictures decoded when they are asked for."""

from lionkit_lab.data.images._chosen import check_classes as check_classes
from lionkit_lab.data.images._chosen import chosen as chosen
from lionkit_lab.data.images._cifar import load_cifar as load_cifar
from lionkit_lab.data.images._folder import load_folder as load_folder
from lionkit_lab.data.images._hub_set import load_hub_images as load_hub_images
from lionkit_lab.data.images._load import load_idx_set as load_idx_set
from lionkit_lab.data.images._load import load_image_set as load_image_set
from lionkit_lab.data.images._moments import moments as moments
from lionkit_lab.data.images._pictures import Pictures as Pictures
from lionkit_lab.data.images._pixels import Pixels as Pixels
from lionkit_lab.data.images._set import ImageSet as ImageSet
from lionkit_lab.data.images._set import Split as Split
from lionkit_lab.data.images._sheets import load_sheets as load_sheets
